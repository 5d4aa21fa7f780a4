import { createCipheriv } from 'node:crypto';

/**
 * The answer to a server's challenge: it, encrypted with the password (RFC 6143, 7.2.2). Only eight
 * characters count, and each byte of the key is turned round.
 */
export function vncResponse(challenge: Uint8Array, password: string): Buffer {
  const key = Buffer.alloc(8);
  key.write(password, 'latin1');
  for (const [index, byte] of key.entries()) key[index] = reversed(byte);
  // OpenSSL 3 no longer offers DES. Triple DES with three equal keys is the same: what the second step
  // undoes, the third does again.
  const cipher = createCipheriv('des-ede3', Buffer.concat([key, key, key]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function reversed(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) result |= 0x80 >> bit;
  return result;
}
