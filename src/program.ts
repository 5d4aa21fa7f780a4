import { Command, CommanderError, type CommandUnknownOpts, Option } from 'commander';
import { EXIT } from './fault.js';
import { printable } from './printable.js';
import {
  type Add,
  accepting,
  collect,
  duration,
  examples,
  lockOwner,
  lockTtl,
  type Run,
  reason,
  wholeNumber,
} from './program-parts.js';
import { addSetUp } from './program-setup.js';
import type { Out, World } from './world.js';

/** The same place to write to, with nothing in it that a terminal acts on: whatever a command prints goes through it. */
const printing = (out: Out): Out =>
  // Its other properties change with the terminal, so they are looked up each time and not copied.
  Object.create(out, { write: { value: (text: string) => out.write(printable(text)) } });

/**
 * Arguments in, exit code out. With `--json` exactly one document is printed, also for errors and for wrong
 * arguments.
 */
export async function main(args: readonly string[], version: string, given: World): Promise<number> {
  const world: World = { ...given, stdout: printing(given.stdout), stderr: printing(given.stderr) };
  let exitCode: number = EXIT.done;
  const json = args.slice(0, args.indexOf('--') < 0 ? undefined : args.indexOf('--')).includes('--json');
  const run: Run = (act) =>
    async function (...given) {
      const options = this.optsWithGlobals();
      const carryOut = async (inner: World) => {
        const { contextOf } = await import('./commands/context.js');
        // An option that was not given is undefined.
        return (act as (...all: unknown[]) => Promise<number>)(contextOf(inner, options), ...given);
      };
      const { interruptible } = await import('./signals.js');
      exitCode = await interruptible(world, json, carryOut);
    };
  try {
    const root = program(version, world, json, run);
    const named = args[0] === 'help' ? args[1] : args[0];
    const isKnown =
      named === undefined ||
      named.startsWith('-') ||
      named === 'help' ||
      root.commands.some((each) => each.name() === named);
    // Help for a command that does not exist would be that of the program, without a word about it.
    await root.parseAsync(isKnown ? args : [named], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const { report, usage } = await import('./commands/errors.js');
    return error instanceof CommanderError ? usage(error, json, world) : await report(error, json, world);
  }
}

export function program(
  version: string,
  { stdout, stderr }: Pick<World, 'stdout' | 'stderr'>,
  json: boolean,
  run: Run,
) {
  const root = new Command('pbs-ctl')
    .description(
      'Patches Proxmox Backup Server hosts safely, over the REST APIs of PBS and PVE, without SSH.',
    )
    .version(version)
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => (json ? undefined : stderr.write(text)),
    })
    .option('--config <file>', 'config file')
    .option('--json', 'print one JSON document on stdout')
    .addOption(new Option('--quiet', 'no progress on stderr: only results and errors').conflicts('verbose'))
    .option('--verbose', 'every check, step and request on stderr, a line each')
    .option('--no-color', 'no colour (also NO_COLOR)');
  const add: Add = (name, description, parent = root) =>
    parent.command(name).description(description).allowExcessArguments(false);
  const host = (text: string) => new Option('--host <name>', text).argParser(collect);
  const all = () => new Option('--all', 'every host of the config').conflicts('host');

  add('patch', 'patch hosts: check, lock, fence, upgrade, reboot once, verify')
    .addOption(host('host to patch; may be repeated'))
    .addOption(all())
    .option('--check', 'change nothing: run every check, simulate the upgrade, show the plan')
    .addOption(
      new Option('--reboot <mode>', 'when to reboot, instead of what the policy says').choices([
        'always',
        'after-upgrade',
        'when-required',
        'never',
      ]),
    )
    .option('--plan <digest>', 'refuse any plan but this one, as shown by --check')
    .option('--wait <duration>', 'wait up to this long for a safe time', duration)
    .option(
      '--ignore-window <reason>',
      'run outside windows, in blackouts, and despite schedules; the reason is reported',
      reason,
    )
    .option('--events <file>', 'append a JSON line for each event to a file; - for stdout')
    .option('--keep-going', 'with several hosts: continue after a failure')
    .option(
      '--parallel <n>',
      'how many hosts to patch at once, never two of one cluster; default: 1',
      wholeNumber(1),
    )
    .addOption(
      new Option(
        '--accept <id=reason>',
        'answer for a finding of verify in the unfinished run; may be repeated',
      )
        .argParser(accepting)
        .conflicts('check'),
    )
    .option('--abandon', 'give up the unfinished run: undo what can be undone, start nothing new')
    .addHelpText(
      'after',
      examples(
        'patch --host pbs01 --check',
        'patch --host pbs01',
        'patch --all --json',
        'patch --all --parallel 8 --keep-going',
      ) +
        SIGNALS +
        FLEET_RULES,
    )
    .action(run(async (context, options) => (await import('./commands/patch.js')).patch(context, options)));
  add('preflight', 'run every check once; changes nothing')
    .addOption(host('host to check; may be repeated'))
    .addOption(all())
    .addHelpText('after', examples('preflight --host pbs01', 'preflight --all --json'))
    .action(
      run(async (context, options) => (await import('./commands/preflight.js')).preflight(context, options)),
    );
  add('verify', 'check that hosts are as they were before their last run')
    .addOption(host('host to verify; may be repeated'))
    .addOption(all())
    .addHelpText('after', examples('verify --host pbs01'))
    .action(run(async (context, options) => (await import('./commands/verify.js')).verify(context, options)));
  add('status', 'show version, kernel, uptime, updates, datastores, tasks and lock holder')
    .addOption(host('host to show; may be repeated; default: all'))
    .addOption(all())
    .addHelpText('after', examples('status', 'status --host pbs01 --json'))
    .action(run(async (context, options) => (await import('./commands/status.js')).status(context, options)));
  add('windows', 'show when hosts are busy and when a whole run fits')
    .addOption(host('host to look at; may be repeated'))
    .addOption(all())
    .option('--hours <number>', 'how far ahead; default: 72', wholeNumber(1, 24 * 31))
    .addHelpText('after', examples('windows --host pbs01', 'windows --host pbs01 --hours 168 --json'))
    .action(
      run(async (context, options) => (await import('./commands/windows.js')).windows(context, options)),
    );
  add('recover', 'diagnose a host from the outside in; flags carry out a repair')
    .addOption(host('host to look at'))
    .option('--start-vm', 'start its VM')
    .option('--reset-vm', 'reset its VM, which is like pulling the plug; asks first')
    .option('--mount', 'mount what is in fstab but not mounted')
    .option('--repair-packages', 'finish what dpkg left half done (dpkg --configure -a, apt-get -f install)')
    .option('--restart-services', 'restart the services that failed')
    .option('--lift-fence', 'lift fences left behind by a run; refused while verify fails')
    .option('--release-lock', 'release locks left behind by a run; refused while verify fails')
    .addOption(
      new Option(
        '--accept <id=reason>',
        'answer for a finding of verify in the unfinished run; may be repeated',
      ).argParser(accepting),
    )
    .option('--yes', 'do not ask')
    .option('--force', 'even while verify fails or an upgrade still runs in the VM')
    .addHelpText(
      'after',
      examples(
        'recover --host pbs01',
        'recover --host pbs01 --mount --restart-services',
        'recover --host pbs01 --reset-vm --yes --json',
      ),
    )
    .addHelpText(
      'after',
      '\nWhile a run waits for its host or verifies it, --mount and --restart-services\nare carried out beside it, and it takes them up. Anything else ends 75.',
    )
    .action(
      run(async (context, options) => (await import('./commands/recover.js')).recover(context, options)),
    );
  add('history', 'list past runs, newest first')
    .addOption(host('only runs of this host; may be repeated'))
    .addHelpText('after', examples('history', 'history --host pbs01 --json'))
    .action(
      run(async (context, options) => (await import('./commands/history.js')).history(context, options)),
    );
  add('report', 'print one past run')
    .argument('<run>', 'id of a run, or "last"')
    .addOption(
      new Option('--format <format>', 'format of the report')
        .choices(['text', 'json', 'markdown', 'html', 'slack'])
        .default('text' as const),
    )
    .addOption(host('with "last": the last run of this host'))
    .addHelpText(
      'after',
      examples('report last', 'report last --host pbs01', 'report k3f9x2 --format html > report.html'),
    )
    .action(
      run(async (context, id, options) =>
        (await import('./commands/report.js')).report(context, { ...options, run: id }),
      ),
    );

  const lock = add('lock', 'the cluster lock, for administrators and for maintenance of PVE');
  const cluster = () =>
    new Option('--cluster <name>', 'cluster of the config; may be left out if there is only one');
  const locks = () => import('./commands/lock.js');
  add('show', 'show who holds it, since when and until when', lock)
    .addOption(new Option('--cluster <name>', 'cluster of the config; default: all'))
    .addHelpText('after', examples('lock show', 'lock show --cluster main --json'))
    .action(
      run(async (context, options) => (await import('./commands/lock-show.js')).lockShow(context, options)),
    );
  add('acquire', 'take it and print the run id; exit code 75 if another user holds it', lock)
    .addOption(cluster())
    .requiredOption('--owner <name>', 'who takes it', lockOwner)
    .option(
      '--ttl <duration>',
      'how long the lock lasts without renewal; default: ttl of the config',
      lockTtl,
    )
    .option('--wait <duration>', 'how long to wait for it', duration)
    .addHelpText('after', examples('lock acquire --cluster main --owner pve-patching --ttl 1h'))
    .action(run(async (context, options) => (await locks()).lockAcquire(context, options)));
  add('release', 'release it; exit code 0 also if it was not held, 1 if another user holds it', lock)
    .addOption(cluster())
    .requiredOption('--owner <name>', 'who took it', lockOwner)
    .option('--run <id>', 'the run id that acquire printed')
    .addHelpText('after', examples('lock release --cluster main --owner pve-patching'))
    .action(run(async (context, options) => (await locks()).lockRelease(context, options)));
  add('hold', 'run a program under the lock, renewing it meanwhile; exits with the code of the program', lock)
    .addOption(cluster())
    .requiredOption('--owner <name>', 'who takes it', lockOwner)
    .option(
      '--ttl <duration>',
      'how long the lock lasts without renewal; default: ttl of the config',
      lockTtl,
    )
    .option('--wait <duration>', 'how long to wait for it', duration)
    .argument('<command...>', 'the program and its arguments, after "--"')
    .addHelpText(
      'after',
      examples('lock hold --cluster main --owner pve-patching -- ansible-playbook patch_pve.yml') +
        HOLD_SIGNALS,
    )
    .action(
      run(async (context, command, options) =>
        (await import('./commands/lock.js')).lockHold(context, { ...options, command }),
      ),
    );
  add('break', 'remove the lock, even if another user holds it', lock)
    .addOption(cluster())
    .option('--yes', 'confirm that its holder has ended')
    .addHelpText('after', examples('lock break --cluster main --yes'))
    .action(run(async (context, options) => (await locks()).lockBreak(context, options)));

  addSetUp(root, add, run);
  const everywhere = root.options.filter(({ long }) => long !== '--version');
  for (const command of below(root)) for (const option of everywhere) command.addOption(option);
  return root;
}

const below = ({ commands }: Pick<CommandUnknownOpts, 'commands'>): CommandUnknownOpts[] =>
  commands.flatMap((command) => [command, ...below(command)]);

const HELP = `
Exit codes:
  0    done: patched, or checked and safe
  1    failed: the report says how far it got
  2    usage or config error; nothing was changed
  3    rebooted, but verify failed: the fence stays up
  75   try again later: not safe now, or the reboot is still pending
  130  interrupted by a signal

Durations: 90s, 20m, 2h, 1d, 500ms, or a number of seconds.
The config is found by --config, $PBS_CTL_CONFIG, ./config.json,
$XDG_CONFIG_HOME/pbs-ctl/config.json, /etc/pbs-ctl/config.json.
To try it without any server:
  pbs-ctl demo`;

const HOLD_SIGNALS = `

Signals: SIGINT, SIGTERM and SIGHUP are passed on to the program; the lock is
released when it has ended. The second one is passed on too, and pbs-ctl leaves
at once with exit code 130: the lock stays, since the program may still run.`;

const SIGNALS = `

Signals (SIGINT, SIGTERM, SIGHUP): after the first one nothing begins that
changes packages or reboots. Before the upgrade the run undoes what it has done.
In the upgrade it waits for dpkg, for upgradeTimeout at most; fence and lock
then stay, and backups are refused until the next patch. Both end 130. Once the
reboot is requested the run goes to its own end, through verify and unfence.
The second signal leaves at once, 130; the next patch resumes the run.`;

const FLEET_RULES = `

Several hosts are patched in the order of --host, or of the config. The secrets
and CA files of all of them are read before the first one starts. A host that is
postponed does not stop the others; after one that fails, or does not pass
verify, no other host is started, except with --keep-going. Runs under way
always finish. Hosts that were not started are named. A signal stops every run
as it stops a single one. With --parallel, hosts that share a cluster, by their
VM or by what they serve, still follow each other. The exit code is the worst of
all runs.`;
