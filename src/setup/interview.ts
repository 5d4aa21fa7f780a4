import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { lookAtCertificate, type SeenCertificate } from '../api/certificate.js';
import { createToken, grants, type Need } from '../api/privileges.js';
import type { Product } from '../api/token.js';
import { NotConnected } from '../api/trust.js';
import { secret as secretField, token as tokenField } from '../config/fields.js';
import type { SecretReference } from '../config/schema.js';
import { readSecret, Secret } from '../config/secret.js';
import { EXIT, Fault } from '../fault.js';
import { utcDay } from '../moment.js';
import type { World } from '../world.js';
import type { Asker, Question } from './ask.js';
import { compareCommand, PVE_CERTIFICATE } from './certificate.js';

/** Answers of `init` given in advance; what is missing is a question. */
export interface InitOptions {
  readonly output: string | undefined;
  readonly force: boolean | undefined;
  readonly cluster: string | undefined;
  readonly pve: readonly string[] | undefined;
  readonly pveToken: string | undefined;
  readonly pveSecret: string | undefined;
  readonly pbs: readonly string[] | undefined;
  readonly pbsToken: string | undefined;
  readonly pbsSecret: string | undefined;
  readonly guest: readonly string[] | undefined;
  readonly fingerprint: readonly string[] | undefined;
  readonly slack: string | undefined;
  /** Take every default, ask nothing. */
  readonly defaults: boolean | undefined;
  readonly systemd: boolean | undefined;
  readonly unit: boolean | undefined;
}

/** The source of answers. */
export interface Interview {
  readonly options: InitOptions;
  readonly asker: Asker;
  readonly world: World;
  /** That of the config, where secret files go by default. */
  readonly folder: string;
}

/**
 * The value of an option, else the answer to a question; both have to pass its check.
 * @throws Fault `usage` (exit 2) for an option that does not. It is not quoted: it may be a secret in the wrong place.
 */
export async function answered(
  { asker }: Interview,
  given: string | undefined,
  question: Question,
): Promise<string> {
  if (given === undefined) return asker.ask(question);
  const wrong = question.check?.(given) ?? null;
  if (wrong === null) return given;
  throw new Fault('usage', `${question.option}: ${wrong}`, { exitCode: EXIT.usage });
}

/** The check of an answer that goes into the config unchanged. */
export const fits =
  (field: z.ZodType<unknown, string>) =>
  (answer: string): string | null => {
    const { error } = field.safeParse(answer);
    return error ? (error.issues[0]?.message ?? 'not valid') : null;
  };

const NAMED = /^(?:https:\/\/)?([^/?#\s]+)\/?$/;

/** "pve1", "pve1.example.net:8006" or a whole address as `https://host:port`. Null for anything else. */
export function addressOf(text: string, port: number): string | null {
  const place = NAMED.exec(text.trim())?.[1];
  if (place === undefined) return null;
  const bare = (place.match(/:/g)?.length ?? 0) > 1 && !place.startsWith('[') ? `[${place}]` : place;
  const address = `https://${/:\d+$/.test(bare) && !bare.endsWith(']') ? bare : `${bare}:${port}`}`;
  return URL.canParse(address) ? address : null;
}

/** The address of a server, as `https://host:port`. */
export async function askAddress(
  interview: Interview,
  given: string | undefined,
  { port, ...question }: { text: string; option: string; port: number },
): Promise<string> {
  const check = (answer: string) =>
    addressOf(answer, port) === null ? 'expected a name or an address, such as pve1.example.net' : null;
  const text = await answered(interview, given, { ...question, check });
  return addressOf(text, port) ?? text;
}

/** `env:NAME`, `file:/path` or `credential:name`; null for anything else. */
export function secretOf(text: string): SecretReference | null {
  const [, kind = '', value = ''] = /^(env|file|credential):(.+)$/.exec(text.trim()) ?? [];
  if (kind === 'file' && !value.startsWith('/')) return null;
  return secretField.safeParse({ [kind]: value }).data ?? null;
}

export const SECRET_CHECK = (answer: string): string | null =>
  secretOf(answer) ? null : 'expected env:NAME, file:/absolute/path or credential:name';

/** A secret that was typed, to be written into a separate file. */
export interface NewSecret {
  readonly file: string;
  readonly value: string;
}

/** A token and where its secret is. */
export interface Access {
  readonly token: string;
  readonly reference: SecretReference;
  readonly newSecret: NewSecret | null;
  /** The secret itself; null where it does not exist yet. */
  readonly secret: Secret | null;
}

/** The token to use, with the commands that create one, and where its secret is. */
export async function askAccess(
  interview: Interview,
  { product, name, where, needs }: { product: Product; name: string; where: string; needs: readonly Need[] },
): Promise<Access> {
  const { options, asker, world } = interview;
  const token = await answered(interview, product === 'pve' ? options.pveToken : options.pbsToken, {
    text: 'API token',
    fallback: `pbs-ctl@${product}!patch`,
    option: `--${product}-token`,
    check: fits(tokenField),
  });
  const commands = [...createToken(product, token), ...grants(product, token, needs)];
  asker.say(
    `  If this token does not exist yet, on ${where}:\n${commands.map((line) => `    ${line}`).join('\n')}`,
  );
  const given = product === 'pve' ? options.pveSecret : options.pbsSecret?.replaceAll('{host}', name);
  const { reference, newSecret } = await askSecret(interview, {
    given,
    option: `--${product}-secret`,
    name,
    token,
  });
  const secret = newSecret
    ? new Secret(newSecret.value, 'what was typed')
    : await readSecret(reference, world).catch(() => null);
  if (!secret && !('file' in reference)) asker.say('  It does not exist yet.');
  return { token, reference, newSecret, secret };
}

/** Where the secret of a token is; where that is a file that does not exist yet, the secret itself. */
async function askSecret(
  interview: Interview,
  { given, option, name, token }: { given: string | undefined; option: string; name: string; token: string },
): Promise<Pick<Access, 'reference' | 'newSecret'>> {
  const text = await answered(interview, given, {
    text: 'Where its secret is',
    fallback: `file:${join(interview.folder, `${name}.secret`)}`,
    option,
    check: SECRET_CHECK,
  });
  const reference = secretOf(text);
  if (!reference) throw new TypeError('an answer that was checked is not a reference');
  if (!('file' in reference) || existsSync(reference.file)) return { reference, newSecret: null };
  const value = await interview.asker.ask({
    text: `Secret of ${token}, for that file; empty to add it later`,
    fallback: '',
    option,
    secret: true,
  });
  return { reference, newSecret: value === '' ? null : { file: reference.file, value } };
}

const LIMIT_MS = 10_000;

/**
 * Decides how a server is trusted: by its fingerprint, or null where the system's CAs vouch for it. No token is
 * sent before.
 * @param pinned a fingerprint that something trusted already pins for this server
 * @throws Fault `net.unreachable`, `init.untrusted`
 */
export async function askTrust(
  { options, asker, world }: Interview,
  address: string,
  product: Product,
  pinned: { readonly fingerprint: string; readonly by: string } | null = null,
): Promise<string | null> {
  const seen = await seenAt(address, world, LIMIT_MS);
  if (!seen.distrust) {
    asker.say(`  ${address}: certificate of "${seen.subject}", issued by a CA that this system trusts`);
    return null;
  }
  const { fingerprint, subject, validTo } = seen;
  asker.say(
    `  Its certificate names "${subject}" and is valid until ${utcDay(validTo)}:\n    ${fingerprint}`,
  );
  if (options.fingerprint?.some((each) => each.toUpperCase() === fingerprint)) {
    asker.say('  It matches --fingerprint.');
    return fingerprint;
  }
  if (pinned?.fingerprint === fingerprint) {
    asker.say(`  It matches the one that ${pinned.by} pins.`);
    return fingerprint;
  }
  if (pinned) asker.say(`  Careful: ${pinned.by} pins a different one:\n    ${pinned.fingerprint}`);
  const which = product === 'pve' ? ` (${PVE_CERTIFICATE})` : '';
  asker.say(`  Compare it with what this prints on that machine${which}:\n    ${compareCommand(product)}`);
  if (await asker.confirm({ text: 'Is it the same', option: `--fingerprint ${fingerprint}` }))
    return fingerprint;
  throw new Fault('init.untrusted', `The fingerprint of ${address} was not confirmed; nothing was written.`, {
    hint: `If it is right, add: --fingerprint ${fingerprint}`,
    exitCode: EXIT.failed,
  });
}

/** @throws Fault `net.unreachable` */
export async function seenAt(address: string, world: World, limitMs: number): Promise<SeenCertificate> {
  try {
    return await lookAtCertificate(address, { tls: {}, env: world.env, connectTimeoutMs: limitMs });
  } catch (error) {
    if (!(error instanceof NotConnected)) throw error;
    throw new Fault('net.unreachable', `Cannot reach ${address}: ${error.message}; nothing was written.`, {
      hint:
        error.hint ?? 'Check that the machine is up, the address is right, and no firewall blocks the port.',
      exitCode: EXIT.failed,
    });
  }
}
