import type { Style } from '../report/layout.js';
import { blocks } from './blocks.js';
import type { Shown } from './console.js';
import { content } from './picture.js';

/** Two pixels side by side in a character keep letters legible; with more they are only a texture. */
const LEGIBLE_PIXELS = 4;

/** A console for a terminal: a picture as block characters, a serial one as its text. Pure. */
export function drawn(shown: Shown, style: Style): string[] {
  if (shown.kind === 'text') return shown.text === '' ? [] : shown.text.split('\n');
  const columns = Math.ceil(content(shown.picture).width / LEGIBLE_PIXELS);
  return [
    ...blocks(shown.picture, style),
    ...(columns > style.columns
      ? [`Too narrow to read: it takes ${columns} columns, or the file above.`]
      : []),
  ];
}
