import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { EXIT, Fault, type FaultOptions, Problems, wordsOf } from '../fault.js';
import { crossChecks, describeIssues } from './issues.js';
import { type Config, config as schema } from './schema.js';

export class ConfigMissing extends Fault {
  constructor(message: string, options: FaultOptions) {
    super('config.missing', message, options);
  }
}

interface LoadOptions {
  /** `--config`. */
  readonly path?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Finds, reads and checks the config.
 * @throws Fault `config.missing` or `config.invalid` (exit 2); the latter names every problem at once
 */
export async function loadConfig(options: LoadOptions): Promise<{ path: string; config: Config }> {
  const path = findConfig(options);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigMissing(`The config ${path} cannot be read: ${wordsOf(error)}.`, {
      hint: NAME_ONE,
      exitCode: EXIT.usage,
    });
  }
  const config = parseConfig(text, path);
  rememberPlaces(config, path);
  return { path, config };
}

/** Notes with each reference to a secret or CA file where it is, for messages. */
function rememberPlaces({ clusters, hosts, notify }: Config, file: string): void {
  const remember = (part: object, key: string) => Object.assign(part, { place: `${key} in ${file}` });
  for (const [kind, servers] of Object.entries({ clusters, hosts })) {
    for (const [name, { secret, tls }] of Object.entries(servers)) {
      remember(secret, `${kind}.${name}.secret`);
      if (tls.caFile !== undefined) remember(tls, `${kind}.${name}.tls.caFile`);
    }
  }
  if (notify.slack) remember(notify.slack.webhook, 'notify.slack.webhook');
  if (notify.webhook) remember(notify.webhook.secret, 'notify.webhook.secret');
}

function findConfig({ path, env, cwd }: LoadOptions): string {
  const named = path ?? env.PBS_CTL_CONFIG;
  if (named) return resolve(cwd, named);
  const places = [
    join(cwd, 'config.json'),
    join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'pbs-ctl/config.json'),
    '/etc/pbs-ctl/config.json',
  ];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new ConfigMissing(`No config was found in ${places.join(', ')}.`, {
    hint: NAME_ONE,
    exitCode: EXIT.usage,
  });
}

const NAME_ONE = [
  'Name one with --config, or create one:',
  'pbs-ctl init',
  'To try pbs-ctl without a config:',
  'pbs-ctl demo',
].join('\n');

/** @throws Fault `config.invalid` */
export function parseConfig(text: string, path: string): Config {
  let raw: unknown;
  let bringsPrototype = false;
  try {
    raw = JSON.parse(text, (key, value) => {
      // What reads the rest passes over it without a word.
      bringsPrototype ||= key === '__proto__';
      return value;
    });
  } catch (error) {
    const { message } = error as Error;
    // Some versions quote the text, which may be a secret.
    const words = message.replace(/,? "[\s\S]*" is not valid JSON$/, '');
    const why = text.trim() === '' ? 'the file is empty' : `${words}${place(text, message)}`;
    throw invalid([`${path}: not valid JSON: ${why}`]);
  }
  if (bringsPrototype) throw invalid([`${path}: "__proto__" is no key, and no name of a host or cluster.`]);
  const parsed = schema.safeParse(raw);
  const wrong = parsed.success ? [] : describeIssues(parsed.error.issues, raw);
  const contradictions = crossChecks(raw, parsed.success ? [] : parsed.error.issues);
  if (!parsed.success || contradictions.length > 0)
    throw invalid([...wrong, ...contradictions].map((line) => `${path}: ${line}`));
  return parsed.data;
}

function place(text: string, message: string): string {
  const position = /position (\d+)/.exec(message)?.[1];
  if (position === undefined || /line \d+/.test(message)) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}

function invalid(lines: readonly string[]): Fault {
  return new Problems('config.invalid', lines.join('\n'), {
    hint: 'Every key, with its type and its meaning, is in config.example.json and in:\npbs-ctl schema',
    exitCode: EXIT.usage,
  });
}
