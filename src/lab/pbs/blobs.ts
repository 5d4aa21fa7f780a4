import { createHash } from 'node:crypto';
import type { SimulatedGroup, SimulatedSnapshot } from './contents.js';

export const INDEX = 'index.json.blob';

/** Magic number of a blob that is neither compressed nor encrypted. */
const MAGIC = Buffer.from([66, 171, 56, 7, 190, 131, 112, 161]);

/** A file of a snapshot as it lies on disk: magic number, CRC-32, data. Null where there is none. */
export function blobOf(group: SimulatedGroup, snapshot: SimulatedSnapshot, name: string): Buffer | null {
  const text = textOf(group, snapshot, name);
  if (text === null) return null;
  const blob = encoded(text);
  if (snapshot.flipped === name) blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
  return blob;
}

/** What is in a file of a snapshot; of its manifest: what was written into it when the backup ended. */
export function textOf(group: SimulatedGroup, snapshot: SimulatedSnapshot, name: string): string | null {
  const own = snapshot.files[name];
  if (own !== undefined) return own;
  return name === INDEX && !snapshot.unfinished ? manifest(group, snapshot) : null;
}

/** Names of the files of a snapshot, its manifest among them; none while it is unfinished. */
export const filesOf = (snapshot: SimulatedSnapshot | undefined): string[] =>
  !snapshot || snapshot.unfinished ? [] : [...new Set([...Object.keys(snapshot.files), INDEX])];

function manifest({ type, id }: SimulatedGroup, { time, files, verified }: SimulatedSnapshot): string {
  const listed = Object.entries(files).map(([filename, text]) => {
    const raw = encoded(text);
    return { filename, 'crypt-mode': 'none', size: raw.length, csum: sha256(raw) };
  });
  const unprotected = verified ? { verify_state: { state: verified, upid: 'UPID:verify' } } : {};
  return JSON.stringify({
    ...{ 'backup-type': type, 'backup-id': id, 'backup-time': time },
    files: listed.filter(({ filename }) => filename !== INDEX),
    unprotected,
  });
}

function encoded(text: string): Buffer {
  const data = Buffer.from(text);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(data));
  return Buffer.concat([MAGIC, crc, data]);
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** Node has it from 20.15 on, its types for Node 20 do not. */
function crc32(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
