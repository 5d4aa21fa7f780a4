import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretReference } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import type { World } from '../world.js';
import { givenSecret, SECRET_FORM, secretOf } from './address.js';
import type { Asker } from './ask.js';

/** A secret that was typed, to be written into a file of its own. */
export interface NewSecret {
  readonly file: string;
  readonly value: string;
}

export interface AskedSecret {
  /** The reference that an option gave. */
  readonly given: string | undefined;
  readonly option: string;
  /** Of the host or cluster. */
  readonly name: string;
  /** Of the config: where secret files go by default. */
  readonly folder: string;
  readonly token: string;
}

export const TOKEN = (answer: string) =>
  /^[^\s:/!@]+@[A-Za-z][A-Za-z0-9._-]*![A-Za-z0-9_][A-Za-z0-9._-]*$/.test(answer)
    ? null
    : 'A token id is of the form user@realm!token.';

/** Where the secret of a token lies; where that is a file that is not there yet, the secret itself. */
export async function askSecret(
  { given, option, name, folder, token }: AskedSecret,
  asker: Asker,
  world: World,
): Promise<{ reference: SecretReference; newSecret: NewSecret | null }> {
  const reference =
    given === undefined
      ? secretOf(
          await asker.ask({
            text: 'Where its secret lies',
            fallback: `file:${join(folder, `${name}.secret`)}`,
            option,
            check: (answer) => (secretOf(answer) ? null : SECRET_FORM),
          }),
        )
      : givenSecret(given, option);
  if (!reference) throw new TypeError('an answer that was checked is no reference');
  if (!('file' in reference)) {
    const missing = await readSecret(reference, world).then(
      () => false,
      () => true,
    );
    if (missing) asker.say('  It is not there now.');
    return { reference, newSecret: null };
  }
  const { file } = reference;
  if (existsSync(file)) return { reference, newSecret: null };
  const value = await asker.ask({
    text: `Secret of ${token}, for that file; empty: later`,
    fallback: '',
    option,
    secret: true,
  });
  return { reference, newSecret: value === '' ? null : { file, value } };
}
