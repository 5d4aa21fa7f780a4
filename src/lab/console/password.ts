import { createDecipheriv } from 'node:crypto';

/**
 * Whether a client that was sent this challenge knows the password: its answer is the challenge under single DES,
 * with the first eight characters as the key, padded with zeros, and the bits of each of its bytes in reverse.
 * @see RFC 6143, 7.2.2 VNC Authentication
 */
export function answersChallenge(answer: Buffer, challenge: Buffer, password: string): boolean {
  const key = Buffer.from(password.slice(0, 8).padEnd(8, '\0'), 'latin1').map(mirrored);
  // OpenSSL has no single DES any more; with both keys alike, EDE comes down to it.
  const cipher = createDecipheriv('des-ede', Buffer.concat([key, key]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(answer), cipher.final()]).equals(challenge);
}

const mirrored = (byte: number) =>
  Number.parseInt([...byte.toString(2).padStart(8, '0')].reverse().join(''), 2);
