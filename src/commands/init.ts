import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ConfigMissing, parseConfig } from '../config/load.js';
import { stateDirOf, targetOf } from '../config/target.js';
import { EXIT, type Fix } from '../fault.js';
import { askerOf, defaultsOnly } from '../setup/ask.js';
import { examine } from '../setup/doctor.js';
import { allowOverwriting, commandsOf, configOf, type Draft, writeFiles } from '../setup/draft.js';
import { type SetupFinding, setupText } from '../setup/finding.js';
import { askCluster } from '../setup/init-cluster.js';
import { askHosts } from '../setup/init-hosts.js';
import {
  answered,
  type InitOptions,
  type Interview,
  type NewSecret,
  SECRET_CHECK,
  secretOf,
} from '../setup/interview.js';
import { type Recipe, systemdFiles, unitFiles } from '../setup/recipes.js';
import type { World } from '../world.js';
import { type Command, type Context, load } from './context.js';
import { doctorDocument } from './doctor.js';

/** Creates a config and its secrets, and prints the commands that create the tokens. Writes only these files. */
export const init: Command<InitOptions> = async (context, options) => {
  if (options.systemd || options.unit) return printRecipes(context, options);
  const { world } = context;
  const path = resolve(world.cwd, options.output ?? context.options.config ?? defaultPath(world));
  const quiet = context.options.quiet === true;
  const asker = options.defaults ? defaultsOnly(world, quiet) : askerOf(world, quiet);
  let drafted: { draft: Draft; secrets: readonly NewSecret[] };
  try {
    await allowOverwriting(path, options.force === true, asker);
    drafted = await conduct({ options, asker, world, folder: dirname(path) });
  } finally {
    asker.close();
  }
  const { draft, secrets } = drafted;
  const text = configOf(draft);
  const config = parseConfig(text, path);
  writeFiles(path, text, secrets);
  const targets = Object.keys(config.hosts).map((host) => targetOf(config, host));
  const findings = await examine({ path, config, stateDir: stateDirOf(config, world.env) }, targets, world);
  const commands = commandsOf(draft);
  context.answer(
    { config: path, secrets: secrets.map(({ file }) => file), commands, doctor: doctorDocument(findings) },
    resultText(path, secrets, commands, findings, context),
  );
  return EXIT.done;
};

async function conduct(interview: Interview): Promise<{ draft: Draft; secrets: readonly NewSecret[] }> {
  const cluster = await askCluster(interview);
  try {
    const hosts = await askHosts(interview, cluster.pve);
    interview.asker.say('');
    const slack = await answered(interview, interview.options.slack, {
      text: 'Where the address of the Slack webhook is; empty for none',
      fallback: '',
      option: '--slack',
      check: (answer) => (answer === '' ? null : SECRET_CHECK(answer)),
    });
    return {
      draft: { cluster: cluster.draft, hosts: hosts.map(({ draft }) => draft), slack: secretOf(slack) },
      secrets: [cluster, ...hosts].flatMap(({ newSecret }) => (newSecret ? [newSecret] : [])),
    };
  } finally {
    await cluster.pve?.close();
  }
}

function resultText(
  path: string,
  secrets: readonly NewSecret[],
  commands: readonly Fix[],
  findings: readonly SetupFinding[],
  { style }: Context,
): string {
  const written = [path, ...secrets.map(({ file }) => file)].map((file) => `wrote ${file} (mode 600)`);
  return [
    ...written,
    '',
    'Commands for users, roles and tokens with the least privileges that a run needs:',
    '',
    ...commands.flatMap(({ where, commands: lines }) => [`# on ${where}`, ...lines, '']),
    setupText(findings, style),
    `Next: pbs-ctl doctor --config ${path}`,
    '',
  ].join('\n');
}

function defaultPath({ env }: World): string {
  const home = env.HOME || homedir();
  const isRoot = userInfo().uid === 0;
  if (isRoot) return '/etc/pbs-ctl/config.json';
  return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pbs-ctl/config.json');
}

/** Recipes follow the config where there is one. */
async function printRecipes(context: Context, { systemd, unit }: InitOptions): Promise<number> {
  const { world, options } = context;
  const found = await load(context).catch((error: unknown) => {
    const named = options.config || world.env.PBS_CTL_CONFIG;
    if (!named && error instanceof ConfigMissing) return null;
    throw error;
  });
  const files: Recipe[] = [
    ...(systemd ? systemdFiles(found?.config ?? null, found?.path ?? null) : []),
    ...(unit ? unitFiles(found?.config ?? null) : []),
  ];
  const place = ({ path, hosts }: Recipe) => `# ${path}${hosts ? `, on ${hosts.join(', ')}` : ''}`;
  context.answer({ files }, files.map((file) => `${place(file)}\n${file.text}`).join('\n'));
  return EXIT.done;
}
