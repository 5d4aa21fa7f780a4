import { createCipheriv } from 'node:crypto';
import { PNG } from 'pngjs';
import type { ByteStream } from '../api/byte-stream.js';
import { Fault } from '../fault.js';

// The part of RFC 6143 that one screenshot takes. Nothing is typed and no pointer is moved.

const SECURITY = { none: 1, vnc: 2 } as const;
const ENCODING = { raw: 0, desktopSize: -223 } as const;
const MESSAGE = { update: 0, colourMap: 1, bell: 2, cutText: 3 } as const;
/** Larger than any screen. */
const MOST_PIXELS = 8192 * 8192;
const LONGEST_TEXT_BYTES = 1024 * 1024;

type Bytes = Pick<ByteStream, 'read' | 'write'>;

/**
 * One picture of the screen behind an RFB server.
 * @throws Fault `console.refused` (password, unknown security types), `console.unreadable`; StreamEnded
 */
export async function takePicture(stream: Bytes, password: string): Promise<Picture> {
  await shakeHands(stream, password);
  // Shared: other viewers stay connected.
  stream.write(Uint8Array.of(1));
  const size = await sizeIn(stream);
  await skip(stream, 16);
  await skip(stream, await textLength(stream));
  stream.write(PIXEL_FORMAT);
  stream.write(encodings(ENCODING.raw, ENCODING.desktopSize));
  return wholeScreen(stream, size);
}

async function shakeHands(stream: Bytes, password: string): Promise<void> {
  const greeting = (await stream.read(12)).toString('latin1');
  const version = /^RFB 003\.(\d{3})\n$/.exec(greeting)?.[1];
  if (version === undefined) throw unreadable(`it greets with ${JSON.stringify(greeting)}`);
  const minor = Number(version) >= 8 ? 8 : Number(version) === 7 ? 7 : 3;
  stream.write(Buffer.from(`RFB 003.00${minor}\n`, 'latin1'));
  const security = await chooseSecurity(stream, minor);
  if (security === SECURITY.vnc) stream.write(vncResponse(await stream.read(16), password));
  if (security === SECURITY.none && minor < 8) return;
  if ((await word(stream)) === 0) return;
  throw refused(minor === 8 ? await text(stream) : 'the password is not accepted');
}

/**
 * The challenge, encrypted with the password (RFC 6143, 7.2.2). Only eight characters count, and the bits of
 * each byte of the key are reversed.
 */
export function vncResponse(challenge: Uint8Array, password: string): Buffer {
  const key = Buffer.alloc(8);
  key.write(password, 'latin1');
  for (const [index, byte] of key.entries()) key[index] = reversed(byte);
  // OpenSSL 3 no longer offers DES. Triple DES with three equal keys is the same.
  const cipher = createCipheriv('des-ede3', Buffer.concat([key, key, key]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function reversed(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) result |= 0x80 >> bit;
  return result;
}

async function chooseSecurity(stream: Bytes, minor: number): Promise<number> {
  if (minor === 3) {
    const type = await word(stream);
    if (type === 0) throw refused(await text(stream));
    return known([type]);
  }
  const [count = 0] = await stream.read(1);
  if (count === 0) throw refused(await text(stream));
  const type = known([...(await stream.read(count))]);
  stream.write(Uint8Array.of(type));
  return type;
}

function known(types: readonly number[]): number {
  const type = [SECURITY.vnc, SECURITY.none].find((each) => types.includes(each));
  if (type === undefined) throw refused(`it offers only the security types ${types.join(', ')}`);
  return type;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Requests the screen until all of it has arrived; a change of its size starts over. */
async function wholeScreen(stream: Bytes, first: Size): Promise<Picture> {
  let { width, height } = checked(first);
  let pixels = new Uint8Array(width * height * 3);
  let wanted = width * height;
  const ask = () => stream.write(updateRequest({ width, height }));
  ask();
  while (wanted > 0) {
    const [kind = -1] = await stream.read(1);
    if (kind !== MESSAGE.update) {
      await skipMessage(stream, kind);
      continue;
    }
    await skip(stream, 1);
    let resized = false;
    for (let left = (await stream.read(2)).readUInt16BE(0); left > 0; left -= 1) {
      const head = await stream.read(12);
      const [x, y, w, h] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at)) as [
        number,
        number,
        number,
        number,
      ];
      const encoding = head.readInt32BE(8);
      if (encoding === ENCODING.desktopSize) {
        ({ width, height } = checked({ width: w, height: h }));
        pixels = new Uint8Array(width * height * 3);
        wanted = width * height;
        resized = true;
        continue;
      }
      if (encoding !== ENCODING.raw)
        throw unreadable(`it sends encoding ${encoding}, which was not requested`);
      if (x + w > width || y + h > height) throw unreadable('it draws beyond its screen');
      drawRaw({ width, pixels }, { x, y, w, h }, await stream.read(w * h * 4));
      wanted -= w * h;
    }
    if (resized || wanted > 0) ask();
  }
  return { width, height, pixels };
}

/** Bytes in the pixel format below: blue, green, red, unused. */
function drawRaw(
  { width, pixels }: { readonly width: number; readonly pixels: Uint8Array },
  { x, y, w, h }: { readonly x: number; readonly y: number; readonly w: number; readonly h: number },
  raw: Buffer,
): void {
  for (let row = 0; row < h; row += 1) {
    for (let column = 0; column < w; column += 1) {
      const from = (row * w + column) * 4;
      const to = ((y + row) * width + x + column) * 3;
      pixels[to] = raw[from + 2] ?? 0;
      pixels[to + 1] = raw[from + 1] ?? 0;
      pixels[to + 2] = raw[from] ?? 0;
    }
  }
}

/** SetPixelFormat: 32 bits, 24 of them used, little endian, true colour, 255 each, red at bit 16. */
const PIXEL_FORMAT = Uint8Array.of(0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0);

function encodings(...wanted: readonly number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * wanted.length);
  message.writeUInt8(2, 0);
  message.writeUInt16BE(wanted.length, 2);
  for (const [index, encoding] of wanted.entries()) message.writeInt32BE(encoding, 4 + 4 * index);
  return message;
}

function updateRequest({ width, height }: Size): Buffer {
  const message = Buffer.alloc(10);
  message.writeUInt8(3, 0);
  message.writeUInt16BE(width, 6);
  message.writeUInt16BE(height, 8);
  return message;
}

async function skipMessage(stream: Bytes, kind: number): Promise<void> {
  if (kind === MESSAGE.bell) return;
  if (kind === MESSAGE.colourMap) {
    const head = await stream.read(5);
    return skip(stream, head.readUInt16BE(3) * 6);
  }
  if (kind === MESSAGE.cutText) {
    await skip(stream, 3);
    return skip(stream, await textLength(stream));
  }
  throw unreadable(`it sends message ${kind}`);
}

async function sizeIn(stream: Bytes): Promise<Size> {
  const bytes = await stream.read(4);
  return { width: bytes.readUInt16BE(0), height: bytes.readUInt16BE(2) };
}

function checked(size: Size): Size {
  const { width, height } = size;
  if (width > 0 && height > 0 && width * height <= MOST_PIXELS) return size;
  throw unreadable(`its screen is ${width} by ${height}`);
}

const word = async (stream: Bytes): Promise<number> => (await stream.read(4)).readUInt32BE(0);

async function textLength(stream: Bytes): Promise<number> {
  const length = await word(stream);
  if (length > LONGEST_TEXT_BYTES) throw unreadable(`it announces a text of ${length} bytes`);
  return length;
}

const text = async (stream: Bytes): Promise<string> =>
  (await stream.read(await textLength(stream))).toString('latin1');

async function skip(stream: Bytes, length: number): Promise<void> {
  if (length > 0) await stream.read(length);
}

const refused = (why: string) =>
  new Fault('console.refused', `The screen of the VM is not shown: ${why}.`, {
    hint: 'Open the console in the web UI of PVE.',
  });

const unreadable = (why: string) =>
  new Fault('console.unreadable', `What the console of the VM sends cannot be read: ${why}.`, {
    hint: 'Open the console in the web UI of PVE.',
  });

/** A screen: three bytes (red, green, blue) for each pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

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
