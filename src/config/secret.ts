import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, Fault, wordsOf } from '../fault.js';
import type { World } from '../world.js';
import type { Config, SecretReference } from './schema.js';

/** Never prints; only {@link Secret.reveal} returns it. */
export class Secret {
  readonly #value: string;
  /** Where it came from, for messages. */
  readonly origin: string;

  constructor(value: string, origin: string) {
    this.#value = value;
    this.origin = origin;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** @throws Fault `config.secret` (exit 2) when it is missing, empty, or a file that others can read */
export async function readSecret(
  reference: SecretReference,
  { env, platform }: Pick<World, 'env' | 'platform'>,
): Promise<Secret> {
  const asked = reference.place === undefined ? '' : ` (${reference.place})`;
  if ('env' in reference) {
    const value = Object.hasOwn(env, reference.env) ? env[reference.env] : undefined;
    if (!value)
      throw problem(
        `The environment variable ${reference.env}${asked}, which should hold a secret, is not set.`,
        `export ${reference.env}=…`,
      );
    return new Secret(value, `$${reference.env}`);
  }
  if ('file' in reference) return fromFile(reference.file, asked, platform !== 'win32');
  const folder = env.CREDENTIALS_DIRECTORY;
  if (!folder) {
    throw problem(
      `The credential "${reference.credential}"${asked} is needed, but $CREDENTIALS_DIRECTORY is not set.`,
      'Run as a systemd service with LoadCredential=, or refer to the secret by "env" or "file".',
    );
  }
  return fromFile(join(folder, reference.credential), asked, false);
}

/** @param asked the key of the config that refers to it, in brackets */
async function fromFile(path: string, asked: string, isStrict: boolean): Promise<Secret> {
  let text: string;
  try {
    // systemd protects its credentials itself.
    if (isStrict) {
      const { mode } = await stat(path);
      if (mode & 0o077) {
        throw problem(
          `The secret file ${path}${asked} can be read by others (mode ${(mode & 0o777).toString(8)}).`,
          `chmod 600 ${path}`,
        );
      }
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw problem(
      `The secret file ${path}${asked} cannot be read: ${wordsOf(error)}.`,
      'Create it with mode 600, holding nothing but the secret.',
    );
  }
  const value = text.trim();
  if (value === '')
    throw problem(`The secret file ${path}${asked} is empty.`, 'It has to hold the secret of the token.');
  if (/^P[BV]EAPIToken[=:]|^\S+@\S+!\S+[=:]/.test(value))
    throw problem(
      `The secret file ${path}${asked} holds more than a secret: its token is in front of it.`,
      'Leave nothing in it but the secret itself, which PBS and PVE show once, as "value".',
    );
  return new Secret(value, path);
}

/** The variables that the config names as places of secrets: no business of a program that is started. */
export function secretVariables({ clusters, hosts, notify }: Config): string[] {
  const references = [
    ...[...Object.values(clusters), ...Object.values(hosts)].map(({ secret }) => secret),
    ...(notify.slack ? [notify.slack.webhook] : []),
    ...(notify.webhook ? [notify.webhook.secret] : []),
  ];
  return references.flatMap((reference) => ('env' in reference ? [reference.env] : []));
}

const problem = (message: string, hint: string) =>
  new Fault('config.secret', message, { hint, exitCode: EXIT.usage });
