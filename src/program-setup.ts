import { Argument, type CommandUnknownOpts, Option } from 'commander';
import { type Add, collect, examples, factor, type Run } from './program-parts.js';

/** The commands that are used before the first run, and around it: doctor, init, schema, completion, lab, demo. */
export function addSetUp(root: CommandUnknownOpts, add: Add, run: Run): void {
  const many = <Flags extends string>(flags: Flags, text: string) =>
    new Option(flags, text).argParser(collect);
  add('doctor', 'is everything set up? config, TLS, tokens, privileges, guest agent, lock, Slack')
    .addOption(many('--host <name>', 'host to look at; may be repeated, all of them unless named'))
    .option('--all', 'every host of the config')
    .addHelpText(
      'after',
      examples('doctor', 'doctor --host pbs01 --json') +
        '\n\nEach finding comes with the commands that fix it. Changes nothing, posts nothing.' +
        '\nExit code 0: ready, perhaps with warnings; 1: something to fix; 2: the config itself.',
    )
    .action(run(async (context, options) => (await import('./commands/doctor.js')).doctor(context, options)));
  add('init', 'create a config by asking questions: endpoints, fingerprints, tokens, guests')
    .option('--output <file>', 'where to write it; default: --config, else the place where it is looked for')
    .option('--force', 'overwrite a config that is there')
    .option('--defaults', 'ask nothing: take the default of what no option answers')
    .option('--cluster <name>', 'name of the PVE cluster in the config')
    .addOption(many('--pve <address>', 'address of a PVE node; may be repeated'))
    .option('--pve-token <id>', 'API token of PVE')
    .option('--pve-secret <where>', 'env:NAME, file:/path or credential:name')
    .addOption(many('--pbs <address>', 'address of a PBS, or NAME=ADDRESS; may be repeated'))
    .option('--pbs-token <id>', 'API token of every PBS')
    .option('--pbs-secret <where>', 'as --pve-secret; {host} stands for the name of the host')
    .addOption(many('--guest <host=vmid>', 'VM that a PBS runs in; may be repeated'))
    .addOption(many('--fingerprint <sha256>', 'certificate to trust without asking; may be repeated'))
    .option('--slack <where>', 'where the address of the Slack webhook lies, as --pve-secret')
    .option('--systemd', 'instead: print a hardened service and its timer')
    .option('--unit', 'instead: print the unit and the script for "upgrade": {"via": "service"}')
    .addHelpText(
      'after',
      `${examples(
        'init',
        'init --output config.json --defaults --pve pve1 --fingerprint AA:BB:…',
        'init --systemd',
      )}\n\nAnswers may come from a pipe, one a line. Nothing is written before the last question.`,
    )
    .action(run(async (context, options) => (await import('./commands/init.js')).init(context, options)));
  add('schema', 'JSON Schema of the config file')
    .addHelpText('after', examples('schema > config.schema.json'))
    .action(run(async (context) => (await import('./commands/schema.js')).schema(context, {})));
  add('completion', 'completion for a shell, host names of the config included')
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
  // What the scripts of the shells call.
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
  add('lab', 'start the embedded lab: a simulated PVE cluster and PBS hosts over real HTTPS on loopback')
    .option('--dir <folder>', 'where its config and files go; default: a new temporary folder')
    .option('--scenario <name>', 'what is there and what goes wrong', 'healthy')
    .option('--factor <number>', 'how much faster than real machines', factor, 20)
    .addOption(
      new Option('--pve <version>', 'PVE version to play').choices(['8.4', '9.2']).default('9.2' as const),
    )
    .addOption(
      new Option('--pbs <version>', 'PBS version to play')
        .choices(['3.4', '4.0', '4.1', '4.2'])
        .default('4.2' as const),
    )
    .option('--list', 'name and describe the scenarios')
    .addHelpText('after', examples('lab --list', 'lab --scenario backup-running --dir /tmp/lab'))
    .action(run(async (context, options) => (await import('./commands/lab.js')).lab(context, options)));
  add('demo', 'lab plus "patch --host pbs01" in one go, then stops')
    .option('--scenario <name>', 'scenario of the lab', 'healthy')
    .addHelpText('after', examples('demo', 'demo --scenario backup-running'))
    .action(run(async (context, options) => (await import('./commands/demo.js')).demo(context, options)));
}
