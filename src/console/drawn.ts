import type { Style } from '../report/layout.js';
import { blocks } from './blocks.js';
import type { Shown } from './console.js';

/** A console for a terminal: a picture as block characters, a serial one as its text. Pure. */
export function drawn(shown: Shown, style: Style): string[] {
  if (shown.kind === 'picture') return blocks(shown.picture, style);
  return shown.text === '' ? [] : shown.text.split('\n');
}
