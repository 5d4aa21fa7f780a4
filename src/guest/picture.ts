/** A screen: three bytes (red, green, blue) for each pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Brightness of a pixel as the eye sees it, 0 to 255. */
export const brightness = (red: number, green: number, blue: number): number =>
  (red * 299 + green * 587 + blue * 114) / 1000;

/** True where every pixel is the same: switched off, blanked, or nothing drawn yet. */
export function isBlank({ pixels }: Picture): boolean {
  const [red, green, blue] = pixels;
  for (let at = 0; at < pixels.length; at += 3)
    if (pixels[at] !== red || pixels[at + 1] !== green || pixels[at + 2] !== blue) return false;
  return true;
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What differs from the colour of the lower right corner, where text consoles are empty; all of a blank picture. */
export function content(picture: Picture): Rectangle {
  const { width, height, pixels } = picture;
  const corner = pixels.subarray(pixels.length - 3);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = (y * width + x) * 3;
      if (pixels[at] === corner[0] && pixels[at + 1] === corner[1] && pixels[at + 2] === corner[2]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0
    ? { left: 0, top: 0, width, height }
    : { left, top, width: right - left + 1, height: bottom - top + 1 };
}
