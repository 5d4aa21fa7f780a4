import { Argument, type CommandUnknownOpts, Option } from 'commander';
import { type Add, collect, examples, factor, type Run } from './program-parts.js';

/** The commands around a run: doctor, init, schema, completion, lab, demo. */
export function addSetUp(root: CommandUnknownOpts, add: Add, run: Run): void {
  const many = <Flags extends string>(flags: Flags, text: string) =>
    new Option(flags, text).argParser(collect);
  add('doctor', 'check the setup: config, TLS, tokens, privileges, guest agent, lock, Slack')
    .addOption(many('--host <name>', 'host to look at; may be repeated; default: all'))
    .addOption(new Option('--all', 'every host of the config').conflicts('host'))
    .addHelpText(
      'after',
      examples('doctor', 'doctor --host pbs01 --json') +
        '\n\nEach finding comes with the commands that fix it. Changes and posts nothing.' +
        '\nExit code 0: ready, perhaps with warnings; 1: something to fix; 2: config error.',
    )
    .action(run(async (context, options) => (await import('./commands/doctor.js')).doctor(context, options)));
  add('init', 'create a config by asking questions: endpoints, fingerprints, tokens, guests')
    .option('--output <file>', 'where to write it; default: --config, else where pbs-ctl looks for it')
    .option('--force', 'overwrite an existing config')
    .option('--defaults', 'ask nothing: use defaults for what no option answers')
    .option('--cluster <name>', 'name of the PVE cluster in the config')
    .addOption(many('--pve <address>', 'address of a PVE node; may be repeated'))
    .option('--pve-token <id>', 'API token of PVE')
    .option('--pve-secret <where>', 'env:NAME, file:/path or credential:name')
    .addOption(many('--pbs <address>', 'address of a PBS, or NAME=ADDRESS; may be repeated'))
    .option('--pbs-token <id>', 'API token of every PBS')
    .option('--pbs-secret <where>', 'as --pve-secret; {host} is replaced by its name')
    .addOption(many('--guest <host=vmid>', 'VM that a PBS runs in; may be repeated'))
    .addOption(many('--fingerprint <sha256>', 'certificate to trust without asking; may be repeated'))
    .option('--slack <where>', 'where the address of the Slack webhook is, as --pve-secret')
    .option('--systemd', 'only print a hardened systemd service and its timer')
    .option('--unit', 'only print unit and script for "upgrade": {"via": "service"}')
    .addHelpText(
      'after',
      `${examples(
        'init',
        'init --output config.json --defaults --pve pve1 --fingerprint AA:BB:…',
        'init --systemd',
      )}\n\nAnswers may come from a pipe, one per line. Nothing is written before the last\nquestion is answered.`,
    )
    .action(run(async (context, options) => (await import('./commands/init.js')).init(context, options)));
  add('schema', 'print the JSON Schema of the config file')
    .addHelpText('after', examples('schema > config.schema.json'))
    .action(run(async (context) => (await import('./commands/schema.js')).schema(context, {})));
  add('completion', 'print the completion script for a shell; it knows the hosts of the config')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples(
        'completion bash > /etc/bash_completion.d/pbs-ctl',
        'completion zsh > /usr/local/share/zsh/site-functions/_pbs-ctl',
        'completion fish > ~/.config/fish/completions/pbs-ctl.fish',
      ),
    )
    .action(
      run(async (context, shell) =>
        (await import('./commands/completion.js')).completion(context, { shell }),
      ),
    );
  // What the completion scripts call.
  root
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(
      run(async (context, words) =>
        (await import('./commands/completion.js')).complete(context, {
          words,
          root,
          mayRepeat: ({ parseArg }) => parseArg === collect,
        }),
      ),
    );
  add('lab', 'start the lab: a simulated PVE cluster and PBS hosts, over HTTPS on loopback')
    .option('--dir <folder>', 'folder for its config and files; default: a temporary one')
    .option('--scenario <name>', 'scenario to play', 'healthy')
    .option('--factor <number>', 'how much faster than real machines it is', factor, 20)
    .addOption(
      new Option('--pve <version>', 'version of PVE').choices(['8.4', '9.2']).default('9.2' as const),
    )
    .addOption(
      new Option('--pbs <version>', 'version of PBS')
        .choices(['3.4', '4.0', '4.1', '4.2'])
        .default('4.2' as const),
    )
    .option('--list', 'list the scenarios')
    .addHelpText('after', examples('lab --list', 'lab --scenario backup-running --dir /tmp/lab'))
    .action(run(async (context, options) => (await import('./commands/lab.js')).lab(context, options)));
  add('demo', 'start the lab, patch pbs01 in it, and stop')
    .option('--scenario <name>', 'scenario to play', 'healthy')
    .addHelpText('after', examples('demo', 'demo --scenario backup-running'))
    .action(run(async (context, options) => (await import('./commands/demo.js')).demo(context, options)));
}
