import { dot, LETTER } from './font.js';

/** A cell of the text screen in pixels; a dot of a letter is one pixel wide and two high, as on a VGA text screen. */
const CELL = { width: 8, height: 16 } as const;
const COLUMNS = 80;
const ROWS = 25;
export const SCREEN = { width: COLUMNS * CELL.width, height: ROWS * CELL.height } as const;
const GREY = 170;

/** A text screen of 80 by 25 as 32-bit pixels: blue, green, red, nothing. */
export function drawText(lines: readonly string[]): Buffer {
  const pixels = Buffer.alloc(SCREEN.width * SCREEN.height * 4);
  for (const [row, line] of lines.slice(-ROWS).entries()) {
    for (const [column, letter] of [...line].slice(0, COLUMNS).entries()) {
      for (let x = 0; x < LETTER.width; x += 1) {
        for (let y = 0; y < LETTER.height * 2; y += 1) {
          if (!dot(letter, x, y >> 1)) continue;
          const at = ((row * CELL.height + y + 1) * SCREEN.width + column * CELL.width + x + 1) * 4;
          pixels.fill(GREY, at, at + 3);
        }
      }
    }
  }
  return pixels;
}
