import { Command, CommanderError, Option, type OptionValues } from 'commander';
import type { Command as Act, GlobalOptions } from './commands/context.js';
import { report, usage } from './commands/errors.js';
import { FLEET_RULES } from './commands/fleet-rules.js';
import { EXIT } from './fault.js';
import { addSetUp, collect, examples } from './program-setup.js';
import { interruptible } from './signals.js';
import type { World } from './world.js';

/**
 * The whole program: arguments in, exit code out. With `--json` exactly one document is printed, also
 * for errors and for arguments that cannot be understood.
 */
export async function main(args: readonly string[], version: string, world: World): Promise<number> {
  let exitCode: number = EXIT.done;
  const json = args.slice(0, args.indexOf('--') < 0 ? undefined : args.indexOf('--')).includes('--json');
  // A command is loaded only when it runs: --help and --version need none of them.
  const run =
    <Options>(load: () => Promise<Act<Options>>) =>
    async (...parameters: unknown[]) => {
      const command = parameters.at(-1) as Command;
      const options = command.optsWithGlobals<GlobalOptions & OptionValues>();
      const carryOut = async (inner: World) => {
        const [act, { contextOf }] = await Promise.all([load(), import('./commands/context.js')]);
        return act(contextOf(inner, options), options as Options);
      };
      exitCode = await (UNTIL_A_SIGNAL.has(command.name())
        ? carryOut(world)
        : interruptible(world, json, carryOut));
    };
  try {
    await program(version, world, json, run).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, json, world);
    return await report(error, json, world);
  }
}

/** A signal is how these are meant to end. */
const UNTIL_A_SIGNAL: ReadonlySet<string> = new Set(['lab', 'demo']);

export type Run = <Options>(load: () => Promise<Act<Options>>) => (...parameters: unknown[]) => Promise<void>;

export function program(version: string, world: World, json: boolean, run: Run): Command {
  const root = new Command('pbs-ctl')
    .description(
      'Patches Proxmox Backup Server hosts safely, over the REST APIs of PBS and PVE, without SSH.',
    )
    .version(version)
    .addHelpText('after', HELP);
  const add = (name: string, description: string, parent = root) =>
    parent.command(name).description(description).allowExcessArguments(false);
  const host = (text: string) => new Option('--host <name>', text).argParser(collect);

  add('patch', 'check, lock, fence, upgrade, reboot once, verify: the whole workflow')
    .addOption(host('host to patch; may be repeated'))
    .option('--all', 'every host of the config')
    .option('--check', 'change nothing: run every check, simulate the upgrade, show the plan')
    .option('--reboot <mode>', 'always, after-upgrade, when-required or never; overrides the policy')
    .option('--plan <digest>', 'refuse any plan but the one that --check showed')
    .option('--wait <duration>', 'wait so long for a time at which it is safe')
    .option('--ignore-window <reason>', 'run outside window, blackouts and schedules; the reason is reported')
    .option('--events <file>', 'add a JSON line for every change of state to a file; - for stdout')
    .option('--keep-going', 'with several hosts: go on after one that failed')
    .option('--parallel <n>', 'hosts at once, never two of one cluster; default: 1, one after the other')
    .option('--abandon', 'give the unfinished run up: undo what can be undone, start nothing')
    .addHelpText(
      'after',
      examples(
        'patch --host pbs01 --check',
        'patch --host pbs01',
        'patch --all --json',
        'patch --all --parallel 8 --keep-going',
      ) + FLEET_RULES,
    )
    .action(run(async () => (await import('./commands/patch.js')).patch));
  add('preflight', 'every check, once; changes nothing')
    .addOption(host('host to check; may be repeated'))
    .option('--all', 'every host of the config')
    .addHelpText('after', examples('preflight --host pbs01', 'preflight --all --json'))
    .action(run(async () => (await import('./commands/preflight.js')).preflight));
  add('verify', 'is the host as it was before the last run?')
    .addOption(host('host to verify; may be repeated'))
    .option('--all', 'every host of the config')
    .addHelpText('after', examples('verify --host pbs01'))
    .action(run(async () => (await import('./commands/verify.js')).verify));
  add('status', 'version, kernel, uptime, pending updates, datastores, tasks, lock holder')
    .addOption(host('host to show; all of them unless named'))
    .option('--all', 'every host of the config')
    .addHelpText('after', examples('status', 'status --host pbs01 --json'))
    .action(run(async () => (await import('./commands/status.js')).status));

  add('windows', 'when is a host busy, and when does a whole run fit?')
    .addOption(host('host to look at; may be repeated'))
    .option('--all', 'every host of the config')
    .option('--hours <number>', 'how far ahead; default: 72')
    .addHelpText('after', examples('windows --host pbs01', 'windows --host pbs01 --hours 168 --json'))
    .action(run(async () => (await import('./commands/windows.js')).windows));

  add('recover', 'what is wrong with a host, from outside in; with flags, the named action')
    .addOption(host('host to look at'))
    .option('--start-vm', 'start its VM')
    .option('--reset-vm', 'reset its VM, which is like pulling the plug; asks first')
    .option('--mount', 'mount what is in fstab and not mounted')
    .option('--restart-services', 'start again what has failed')
    .option('--lift-fence', 'lift a fence that a run left; refused while verification fails')
    .option('--release-lock', 'release a lock that a run left; refused while verification fails')
    .option('--yes', 'do not ask')
    .option('--force', 'also while verification fails, or an upgrade still runs in the VM')
    .addHelpText(
      'after',
      examples(
        'recover --host pbs01',
        'recover --host pbs01 --mount --restart-services',
        'recover --host pbs01 --reset-vm --yes --json',
      ),
    )
    .action(run(async () => (await import('./commands/recover.js')).recover));
  add('history', 'past runs, newest first')
    .addOption(host('only runs of this host; may be repeated'))
    .addHelpText('after', examples('history', 'history --host pbs01 --json'))
    .action(run(async () => (await import('./commands/history.js')).history));
  add('report', 'one past run')
    .argument('<run>', 'id of a run, or "last"')
    .option('--format <format>', 'text, json, markdown, html or slack', 'text')
    .addOption(host('with "last": the last run of this host'))
    .addHelpText(
      'after',
      examples('report last', 'report last --host pbs01', 'report k3f9x2 --format html > report.html'),
    )
    .action((id: string, options: OptionValues, self: Command) =>
      run(async () => {
        const { report: act } = await import('./commands/report.js');
        return (context: Parameters<typeof act>[0], given: OptionValues) =>
          act(context, { ...given, run: id });
      })(options, self),
    );

  const lock = add('lock', 'the cluster lock, for people and for the PVE side');
  const cluster = () =>
    new Option('--cluster <name>', 'cluster of the config; may be left out when there is one');
  const locks = () => import('./commands/lock.js');
  add('show', 'who holds it, since when, until when', lock)
    .addOption(new Option('--cluster <name>', 'cluster of the config; every one of them unless named'))
    .addHelpText('after', examples('lock show', 'lock show --cluster main --json'))
    .action(run(async () => (await import('./commands/lock-show.js')).lockShow));
  add('acquire', 'take it; prints the run id, exit code 75 when another holds it', lock)
    .addOption(cluster())
    .requiredOption('--owner <name>', 'who takes it')
    .option('--ttl <duration>', 'how long it lasts; default: ttl of the config')
    .option('--wait <duration>', 'how long to wait for it')
    .addHelpText('after', examples('lock acquire --cluster main --owner pve-patching --ttl 1h'))
    .action(run(async () => (await locks()).lockAcquire));
  add('release', 'give it back; exit code 0 also when it was not held, 1 when another holds it', lock)
    .addOption(cluster())
    .requiredOption('--owner <name>', 'who took it')
    .option('--run <id>', 'the run id that acquire printed')
    .addHelpText('after', examples('lock release --cluster main --owner pve-patching'))
    .action(run(async () => (await locks()).lockRelease));
  add(
    'hold',
    'run a program under the lock: renewed while it runs, then released; exit code of the program',
    lock,
  )
    .addOption(cluster())
    .requiredOption('--owner <name>', 'who takes it')
    .option('--ttl <duration>', 'how long it lasts unrenewed; default: ttl of the config')
    .option('--wait <duration>', 'how long to wait for it')
    .argument('<command...>', 'the program and its arguments, after "--"')
    .addHelpText(
      'after',
      examples('lock hold --cluster main --owner pve-patching -- ansible-playbook patch_pve.yml'),
    )
    .action((command: string[], options: OptionValues, self: Command) =>
      run(async () => {
        const { lockHold } = await import('./commands/lock-hold.js');
        return (context: Parameters<typeof lockHold>[0], given: Parameters<typeof lockHold>[1]) =>
          lockHold(context, { ...given, command });
      })(options, self),
    );
  add('break', 'remove whatever lock is there', lock)
    .addOption(cluster())
    .option('--yes', 'yes, its holder has ended')
    .addHelpText('after', examples('lock break --cluster main --yes'))
    .action(run(async () => (await locks()).lockBreak));

  addSetUp({ root, add, run, host, version, closing: HELP });
  add('lab', 'start the embedded lab: a simulated PVE cluster and PBS hosts over real HTTPS on loopback')
    .option('--dir <folder>', 'where its config and files go; default: a new temporary folder')
    .option('--scenario <name>', 'what is there and what goes wrong', 'healthy')
    .option('--factor <number>', 'how much faster than real machines', '20')
    .option('--pve <version>', 'PVE version to play: 8.4 or 9.2', '9.2')
    .option('--pbs <version>', 'PBS version to play: 3.4, 4.0, 4.1 or 4.2', '4.2')
    .option('--list', 'name and describe the scenarios')
    .addHelpText('after', examples('lab --list', 'lab --scenario backup-running --dir /tmp/lab'))
    .action(run(async () => (await import('./commands/lab.js')).lab));
  add('demo', 'lab plus "patch --host pbs01" in one go, then stops')
    .option('--scenario <name>', 'scenario of the lab', 'healthy')
    .addHelpText('after', examples('demo', 'demo --scenario backup-running'))
    .action(run(async () => (await import('./commands/demo.js')).demo));

  for (const command of withChildren(root)) {
    command
      .exitOverride()
      .configureOutput({
        writeOut: (text) => world.stdout.write(text),
        writeErr: (text) => (json ? undefined : world.stderr.write(text)),
      })
      .option('--config <file>', 'config file')
      .option('--json', 'print one JSON document on stdout')
      .addOption(new Option('--quiet', 'no progress on stderr: only results and errors').conflicts('verbose'))
      .option('--verbose', 'every check, step and request on stderr, a line each')
      .option('--no-color', 'no colour (also NO_COLOR)');
  }
  return root;
}

const withChildren = (command: Command): Command[] => [command, ...command.commands.flatMap(withChildren)];

const HELP = `
Exit codes:
  0    done: patched, or checked and safe
  1    failed: the report says how far it came
  2    usage or config error; nothing was changed
  3    rebooted, but validation failed: the fence stays up
  75   try again later: not safe now, or the reboot is still pending
  130  interrupted by a signal

Durations: 90s, 20m, 2h, 1d, 500ms, or a number of seconds.
The config is found by --config, $PBS_CTL_CONFIG, ./config.json,
$XDG_CONFIG_HOME/pbs-ctl/config.json, /etc/pbs-ctl/config.json.
Try it without any server: pbs-ctl demo`;
