import { PNG } from 'pngjs';
import type { Picture } from './picture.js';

/** The picture as a PNG file. */
export function pngOf({ width, height, pixels }: Picture): Buffer {
  const png = new PNG({ width, height, colorType: 2, inputHasAlpha: false });
  png.data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return PNG.sync.write(png, { colorType: 2, inputHasAlpha: false });
}
