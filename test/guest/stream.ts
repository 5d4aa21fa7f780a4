import { StreamEnded } from '../../src/api/byte-stream.js';

/** A server's side that was written down before; reads beyond its end find it ended. Keeps what is written to it. */
export function scripted(...said: readonly (Buffer | string)[]) {
  let rest = Buffer.concat(
    said.map((each) => (typeof each === 'string' ? Buffer.from(each, 'latin1') : each)),
  );
  const written: Buffer[] = [];
  const take = async (length: number): Promise<Buffer> => {
    if (rest.length < length) throw new StreamEnded('the connection was closed');
    const part = rest.subarray(0, length);
    rest = rest.subarray(length);
    return part;
  };
  return {
    read: take,
    readSome: () => take(Math.max(1, rest.length)),
    write: (bytes: Uint8Array) => void written.push(Buffer.from(bytes)),
    end: () => {},
    written: () => Buffer.concat(written),
  };
}

export const u16 = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
};
export const i32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
