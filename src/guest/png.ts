import { PNG } from 'pngjs';

/** A screen: three bytes (red, green, blue) for each pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** The picture as a PNG file. */
export function pngOf({ width, height, pixels }: Picture): Buffer {
  const png = new PNG({ width, height, colorType: 2, inputHasAlpha: false });
  png.data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return PNG.sync.write(png, { colorType: 2, inputHasAlpha: false });
}

/** True where every pixel is the same: switched off, blanked, or nothing drawn yet. */
export function isBlank({ pixels }: Picture): boolean {
  const [red, green, blue] = pixels;
  for (let at = 0; at < pixels.length; at += 3)
    if (pixels[at] !== red || pixels[at + 1] !== green || pixels[at + 2] !== blue) return false;
  return true;
}
