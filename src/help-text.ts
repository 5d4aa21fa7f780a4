import { readFileSync } from 'node:fs';

/**
 * What `--help` says, as the build has written it down (npm run build:manual): reading it takes a tenth of the
 * time that building all commands takes. Null where there is no such file, as in the single-file build.
 */
export function writtenHelp(): string | null {
  try {
    return readFileSync(new URL('./help.txt', import.meta.url), 'utf8') || null;
  } catch {
    return null;
  }
}
