import type { TestProject } from 'vitest/node';
import { type Image, prepareImage } from './image.js';
import { requireTools } from './needs.js';

/** Once before all tests: tools, image, booted guest. */
export default async function setup({ provide }: TestProject): Promise<void> {
  requireTools();
  provide('image', await prepareImage((text) => console.log(`real guest: ${text}`)));
}

declare module 'vitest' {
  interface ProvidedContext {
    image: Image;
  }
}
