import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorDocument, errorDocument } from '../fault.js';
import { isoFromMs } from '../moment.js';
import { lookAtConsole, type Shown } from './console.js';
import type { Guest } from './exec.js';
import { isBlank } from './picture.js';
import { pngOf } from './png.js';

/** What became of a look at the console: a file, or why there is none. */
export interface ConsoleShot {
  /** A PNG file, or the text of a serial console; null where nothing could be shown. */
  readonly file: string | null;
  readonly kind: 'picture' | 'text' | null;
  /** What a person should know who opens it; null where it speaks for itself. */
  readonly note: string | null;
  readonly error: ErrorDocument | null;
}

/** Looks at the console and keeps what it shows in a folder, for its owner only: anything may stand on a screen. Never throws. */
export async function keepConsole(
  guest: Guest,
  folder: string,
): Promise<{ readonly shot: ConsoleShot; readonly shown: Shown | null }> {
  try {
    const shown = await lookAtConsole(guest);
    if (shown.kind === 'text' && shown.text === '')
      return { shot: { file: null, kind: 'text', note: noteOn(shown), error: null }, shown };
    const stamp = isoFromMs(guest.clock.now()).replace(/[-:]|\.\d+/g, '');
    const file = join(folder, `console-${stamp}.${shown.kind === 'picture' ? 'png' : 'txt'}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, shown.kind === 'picture' ? pngOf(shown.picture) : `${shown.text}\n`, { mode: 0o600 });
    return { shot: { file, kind: shown.kind, note: noteOn(shown), error: null }, shown };
  } catch (error) {
    return { shot: { file: null, kind: null, note: null, error: errorDocument(error) }, shown: null };
  }
}

function noteOn(shown: Shown): string | null {
  if (shown.kind === 'picture')
    return isBlank(shown.picture)
      ? 'All of it has one colour: the screen is blanked, or nothing has been drawn. A key wakes it in the console.'
      : null;
  return shown.text === ''
    ? `The serial console (${shown.port}) printed nothing while it was listened to, and keeps nothing of before.`
    : null;
}
