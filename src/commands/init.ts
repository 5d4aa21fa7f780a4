import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseConfig } from '../config/load.js';
import { stateDirOf, targetOf } from '../config/target.js';
import { EXIT, Fault, type Fix } from '../fault.js';
import { givenSecret, SECRET_FORM, secretOf } from '../setup/address.js';
import { ansibleTasks } from '../setup/ansible.js';
import { type Asker, askerOf, defaultsOnly } from '../setup/ask.js';
import { examine } from '../setup/doctor.js';
import { commandsOf, configOf, type Draft } from '../setup/draft.js';
import { type SetupFinding, setupText } from '../setup/finding.js';
import { askCluster } from '../setup/init-cluster.js';
import { askHosts } from '../setup/init-hosts.js';
import type { InitOptions } from '../setup/options.js';
import type { Recipe } from '../setup/recipe.js';
import type { NewSecret } from '../setup/secret.js';
import { systemdFiles } from '../setup/systemd.js';
import { unitFiles } from '../setup/unit.js';
import { allowOverwriting, writeFiles } from '../setup/write.js';
import type { World } from '../world.js';
import { type Command, type Context, load } from './context.js';
import { doctorDocument } from './doctor.js';

/** From nothing to a config, its secrets, and the commands that make the tokens. Writes only these files. */
export const init: Command<InitOptions> = async (context, options) => {
  if (options.systemd || options.ansible || options.unit) return printRecipes(context, options);
  const { world } = context;
  const path = resolve(world.cwd, options.output ?? context.options.config ?? defaultPath(world));
  const quiet = context.options.quiet === true;
  const asker = options.defaults ? defaultsOnly(world, quiet) : askerOf(world, quiet);
  let drafted: { draft: Draft; secrets: readonly NewSecret[] };
  try {
    await allowOverwriting(path, options.force === true, asker);
    drafted = await interview(options, asker, world, dirname(path));
  } finally {
    asker.close();
  }
  const { draft, secrets } = drafted;
  const text = configOf(draft);
  const config = parseConfig(text, path);
  await writeFiles(path, text, secrets);
  const targets = Object.keys(config.hosts).map((host) => targetOf(config, host));
  const findings = await examine({ path, config, stateDir: stateDirOf(config, world.env) }, targets, world);
  const commands = commandsOf(draft);
  context.answer(
    { config: path, secrets: secrets.map(({ file }) => file), commands, doctor: doctorDocument(findings) },
    resultText(path, secrets, commands, findings, context),
  );
  return EXIT.done;
};

async function interview(
  options: InitOptions,
  asker: Asker,
  world: World,
  folder: string,
): Promise<{ draft: Draft; secrets: readonly NewSecret[] }> {
  const cluster = await askCluster(options, asker, world, folder);
  try {
    const hosts = await askHosts(options, cluster.pve, asker, world, folder);
    asker.say('');
    const slack =
      options.slack ??
      (await asker.ask({
        text: 'Slack webhook, where its address lies; empty for none',
        fallback: '',
        option: '--slack',
        check: (answer) => (answer === '' || secretOf(answer) ? null : SECRET_FORM),
      }));
    return {
      draft: {
        cluster: cluster.draft,
        hosts: hosts.map(({ draft }) => draft),
        slack: slack === '' ? null : givenSecret(slack, '--slack'),
      },
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
    'Users, roles and tokens with the least that a run needs:',
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

/** Recipes go by the config where there is one. */
async function printRecipes(context: Context, { systemd, ansible, unit }: InitOptions): Promise<number> {
  const { world, options } = context;
  const found = await load(context).catch((error: unknown) => {
    const named = options.config || world.env.PBS_CTL_CONFIG;
    if (!named && error instanceof Fault && error.code === 'config.missing') return null;
    throw error;
  });
  const files: Recipe[] = [
    ...(systemd ? systemdFiles(found?.config ?? null, found?.path ?? null) : []),
    ...(ansible ? ansibleTasks() : []),
    ...(unit ? unitFiles(found?.config ?? null) : []),
  ];
  const place = ({ path, hosts }: Recipe) => `# ${path}${hosts ? `, on ${hosts.join(', ')}` : ''}`;
  context.answer({ files }, files.map((file) => `${place(file)}\n${file.text}`).join('\n'));
  return EXIT.done;
}
