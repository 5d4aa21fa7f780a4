import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { blocks } from '../../src/guest/blocks.js';
import { drawn } from '../../src/guest/drawn.js';
import { content, isBlank, type Picture } from '../../src/guest/picture.js';
import { pngOf } from '../../src/guest/png.js';
import { readable } from '../../src/guest/serial.js';

/** A picture from letters: `#` is white, `.` black, `g` a dark grey. */
function picture(...rows: readonly string[]): Picture {
  const value: Readonly<Record<string, number>> = { '#': 255, g: 20 };
  const pixels = rows.flatMap((row) => [...row].flatMap((letter) => Array(3).fill(value[letter] ?? 0)));
  return { width: rows[0]?.length ?? 0, height: rows.length, pixels: Uint8Array.from(pixels) };
}
const plain = (seen: Picture, columns = 80) => blocks(seen, { color: false, columns });

describe('a picture', () => {
  it('is a PNG with the same pixels', () => {
    const seen = { width: 2, height: 1, pixels: Uint8Array.of(255, 0, 0, 1, 2, 3) };
    const png = PNG.sync.read(pngOf(seen));
    expect([png.width, png.height, ...png.data]).toEqual([2, 1, 255, 0, 0, 255, 1, 2, 3, 255]);
  });

  it.each`
    rows                | blank
    ${['....', '....']} | ${true}
    ${['####', '####']} | ${true}
    ${['....', '...#']} | ${false}
  `('$rows is blank: $blank', ({ rows, blank }) => {
    expect(isBlank(picture(...rows))).toBe(blank);
  });

  it('has its content where it differs from its lower right corner', () => {
    expect(content(picture('......', '.##...', '..#...', '......'))).toEqual({
      left: 1,
      top: 1,
      width: 2,
      height: 2,
    });
    expect(content(picture('...', '...'))).toEqual({ left: 0, top: 0, width: 3, height: 2 });
  });
});

describe('block characters', () => {
  it.each`
    rows                                        | lines     | because
    ${['##......', '##......', '........']}     | ${['▀']}  | ${'the empty part is left out, and a quarter is twice as high as wide'}
    ${['#.#.', '#.#.', '.#.#', '.#.#', '....']} | ${['▚▚']} | ${'each quarter is drawn by itself'}
    ${['#ggg', '#ggg', '#ggg', '#ggg', '....']} | ${['▌']}  | ${'what hardly differs from the background is background'}
    ${['....', '....']}                         | ${['']}   | ${'nothing is on it'}
  `('$rows is drawn as $lines: $because', ({ rows, lines }) => {
    expect(plain(picture(...rows))).toEqual(lines);
  });

  it('never take more columns than there are', () => {
    const wide = picture(...Array.from({ length: 40 }, () => `${'#.'.repeat(200)}`), '.'.repeat(400));
    for (const columns of [20, 80, 120]) {
      const lines = plain(wide, columns);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it('have two colours each, and end with the usual ones', () => {
    const [line] = blocks(picture('#.', '#.'), { color: true, columns: 80 });
    expect(line).toBe('\u001b[38;2;255;255;255;48;2;0;0;0m▘\u001b[0m');
  });

  it('say when they are too narrow to read', () => {
    const wide = picture(...Array.from({ length: 4 }, () => `${'#'.repeat(639)}.`));
    const last = (columns: number) =>
      drawn({ kind: 'picture', picture: wide }, { color: false, columns }).at(-1);
    expect(last(80)).toBe('Too narrow to read: it takes 160 columns, or the file above.');
    expect(last(160)).not.toContain('Too narrow');
  });
});

describe('what a serial console has printed', () => {
  it.each`
    output                                                        | text                    | because
    ${'starting serial terminal on interface serial0\r\nlogin: '} | ${'login:'}             | ${'the first line is of PVE'}
    ${'\u001b[1;31mFAILED\u001b[0m to mount\r\n'}                 | ${'FAILED to mount'}    | ${'colours are left out'}
    ${'Progress 10%\rProgress 90%\r\ndone'}                       | ${'Progress 90%\ndone'} | ${'a line that is overwritten counts in its last state'}
    ${'a\u0007b\u009b31m\u202e'}                                  | ${'ab'}                 | ${'nothing in it may do anything to a terminal'}
    ${''}                                                         | ${''}                   | ${'it keeps nothing of before'}
  `('$because', ({ output, text }) => {
    expect(readable(output)).toBe(text);
  });

  it('is cut to its last lines', () => {
    const long = Array.from({ length: 500 }, (_, index) => `line ${index}`).join('\r\n');
    expect(readable(long).split('\n')).toHaveLength(60);
    expect(readable(long)).toMatch(/line 499$/);
  });
});
