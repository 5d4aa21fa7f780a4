import { readFileSync } from 'node:fs';

/** Version of the package; the single-file build puts the number itself in the place of this module. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
