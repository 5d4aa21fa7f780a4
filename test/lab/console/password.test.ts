import { describe, expect, it } from 'vitest';
import { answersChallenge } from '../../../src/lab/console/password.js';

// The example of the DES standard's first editions: key 0123456789ABCDEF, "Now is the time for all ", here as the
// two blocks of a challenge; a password has the bits of each byte in reverse.
const PASSWORD = Buffer.from('80c4a2e691d5b3f7', 'hex').toString('latin1');
const CHALLENGE = Buffer.from('Now is the time ');
const ANSWER = Buffer.from('3fa40e8a984d48156a271787ab8883f9', 'hex');

describe('the password of a screen', () => {
  it('is proven by the challenge under DES', () => {
    expect(answersChallenge(ANSWER, CHALLENGE, PASSWORD)).toBe(true);
    expect(answersChallenge(ANSWER, CHALLENGE, 'another')).toBe(false);
  });

  it('counts with its first eight characters', () =>
    expect(answersChallenge(ANSWER, CHALLENGE, `${PASSWORD} and more`)).toBe(true));
});
