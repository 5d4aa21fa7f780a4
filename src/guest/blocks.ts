import { brightness, content, type Picture } from './picture.js';

/** Which of the four quarters are bright: 1 upper left, 2 upper right, 4 lower left, 8 lower right. */
const QUARTERS = ' ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█';
type Colour = readonly [red: number, green: number, blue: number];

/** How far apart two quarters have to be, in brightness, to be told from each other. */
const DISTINCT = 24;

/**
 * The part of a picture that has something on it, as block characters: four pixels in each. With colour each
 * character has the two colours of its quarters; without, what stands out from the background is drawn.
 */
export function blocks(
  picture: Picture,
  { color, columns }: { readonly color: boolean; readonly columns: number },
): string[] {
  const area = content(picture);
  // Never larger than it is; a character is twice as high as wide, and so are its quarters.
  const wide = Math.max(1, Math.min(columns * 2, area.width));
  const scale = area.width / wide;
  const high = Math.max(1, Math.round(area.height / scale / 2));
  const at = (x: number, y: number): Colour =>
    x < wide && y < high
      ? average(picture, {
          left: area.left + Math.floor(x * scale),
          right: area.left + Math.max(Math.floor(x * scale) + 1, Math.floor((x + 1) * scale)),
          top: area.top + Math.floor((y * area.height) / high),
          bottom:
            area.top +
            Math.max(Math.floor((y * area.height) / high) + 1, Math.floor(((y + 1) * area.height) / high)),
        })
      : background(picture);
  const ground = light(background(picture));
  const lines: string[] = [];
  for (let y = 0; y < high; y += 2) {
    const cells: Colour[][] = [];
    for (let x = 0; x < wide; x += 2) cells.push([at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)]);
    lines.push(color ? colouredLine(cells) : plainLine(cells, ground));
  }
  return lines;
}

/** Thin letters are a small part of a pixel that stands for many: a fifth of the way to white shows them. */
const plainLine = (cells: readonly Colour[][], ground: number): string =>
  cells
    .map((cell) => QUARTERS[mask(cell, (colour) => Math.abs(light(colour) - ground) > 255 / 5)] ?? ' ')
    .join('')
    .trimEnd();

function colouredLine(cells: readonly Colour[][]): string {
  let last = '';
  const line = cells.map((cell) => {
    const lights = cell.map(light);
    const [low, high] = [Math.min(...lights), Math.max(...lights)];
    const middle = (low + high) / 2;
    const bits = high - low < DISTINCT ? 0 : mask(cell, (colour) => light(colour) > middle);
    const front = mean(cell.filter((_, quarter) => bits & (1 << quarter)));
    const back = mean(cell.filter((_, quarter) => !(bits & (1 << quarter))));
    const paint = `\u001b[38;2;${front.join(';')};48;2;${back.join(';')}m`;
    const changed = paint === last ? '' : paint;
    last = paint;
    return `${changed}${QUARTERS[bits] ?? ' '}`;
  });
  return `${line.join('')}\u001b[0m`;
}

const mask = (cell: readonly Colour[], isSet: (colour: Colour) => boolean): number =>
  cell.reduce((bits, colour, quarter) => (isSet(colour) ? bits | (1 << quarter) : bits), 0);

const light = ([red, green, blue]: Colour): number => brightness(red, green, blue);

function mean(colours: readonly Colour[]): Colour {
  const sum = colours.reduce(([r, g, b], each) => [r + each[0], g + each[1], b + each[2]] as const, [
    0, 0, 0,
  ] as Colour);
  const count = Math.max(1, colours.length);
  return [Math.round(sum[0] / count), Math.round(sum[1] / count), Math.round(sum[2] / count)];
}

const background = ({ pixels }: Picture): Colour => {
  const [red = 0, green = 0, blue = 0] = pixels.subarray(pixels.length - 3);
  return [red, green, blue];
};

function average(
  { width, height, pixels }: Picture,
  box: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number },
): Colour {
  let [red, green, blue, count] = [0, 0, 0, 0];
  for (let y = box.top; y < Math.min(box.bottom, height); y += 1) {
    for (let x = box.left; x < Math.min(box.right, width); x += 1) {
      const at = (y * width + x) * 3;
      red += pixels[at] ?? 0;
      green += pixels[at + 1] ?? 0;
      blue += pixels[at + 2] ?? 0;
      count += 1;
    }
  }
  const share = Math.max(1, count);
  return [Math.round(red / share), Math.round(green / share), Math.round(blue / share)];
}
