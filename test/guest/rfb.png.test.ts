import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { isBlank, type Picture, pngOf } from '../../src/guest/rfb.js';

/** A picture from letters: `#` is white, `.` black. */
function picture(...rows: readonly string[]): Picture {
  const pixels = rows.flatMap((row) => [...row].flatMap((letter) => Array(3).fill(letter === '#' ? 255 : 0)));
  return { width: rows[0]?.length ?? 0, height: rows.length, pixels: Uint8Array.from(pixels) };
}

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
});
