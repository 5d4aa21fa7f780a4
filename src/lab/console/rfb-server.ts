import { randomBytes } from 'node:crypto';
import type { ClientBytes } from './client-bytes.js';
import { answersChallenge } from './password.js';
import { drawText, SCREEN } from './screen.js';

/** PVE sends no larger frames. */
const FRAME_BYTES = 128 * 1024;

/** The screen of a VM as QEMU serves it: RFB 3.8 with a password. Ends with the connection. */
export async function serveScreen(
  client: ClientBytes,
  {
    name,
    password,
    lines,
  }: { readonly name: string; readonly password: string; readonly lines: () => readonly string[] },
): Promise<void> {
  const send = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += FRAME_BYTES) client.write(bytes.subarray(at, at + FRAME_BYTES));
  };
  send(Buffer.from('RFB 003.008\n'));
  await client.read(12);
  send(Buffer.of(1, 2));
  await client.read(1);
  const challenge = randomBytes(16);
  send(challenge);
  if (!answersChallenge(await client.read(16), challenge, password)) {
    const why = Buffer.from('Authentication failed');
    send(Buffer.concat([u32(1), u32(why.length), why]));
    return;
  }
  send(u32(0));
  await client.read(1);
  const title = Buffer.from(`QEMU (${name})`);
  const format = Buffer.of(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0);
  send(Buffer.concat([u16(SCREEN.width), u16(SCREEN.height), format, u32(title.length), title]));
  for (;;) {
    const [kind] = await client.read(1);
    if (kind === 0) await client.read(19);
    else if (kind === 2) await client.read((await client.read(3)).readUInt16BE(1) * 4);
    else if (kind === 3) {
      await client.read(9);
      send(update(lines()));
    } else throw new Error(`the client sent message ${kind}, which a mere look does not need`);
  }
}

/** In two rectangles, as QEMU may do it. */
function update(lines: readonly string[]): Buffer {
  const pixels = drawText(lines);
  const upper = SCREEN.height / 2;
  const rectangle = (y: number, height: number) =>
    Buffer.concat([
      u16(0),
      u16(y),
      u16(SCREEN.width),
      u16(height),
      u32(0),
      pixels.subarray(y * SCREEN.width * 4, (y + height) * SCREEN.width * 4),
    ]);
  return Buffer.concat([
    Buffer.of(0, 0),
    u16(2),
    rectangle(0, upper),
    rectangle(upper, SCREEN.height - upper),
  ]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
