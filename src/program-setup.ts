import { type Command, Option, type OptionValues } from 'commander';
import type { Run } from './program.js';

interface SetUp {
  readonly root: Command;
  readonly add: (name: string, description: string) => Command;
  readonly run: Run;
  readonly host: (text: string) => Option;
  readonly version: string;
  /** What the help says at its end. */
  readonly closing: string;
}

/** The commands that are used before the first run, and around it: doctor, init, schema, completion, manual. */
export function addSetUp({ root, add, run, host, version, closing }: SetUp): void {
  add('doctor', 'is everything set up? config, TLS, tokens, privileges, guest agent, lock, Slack')
    .addOption(host('host to look at; may be repeated, all of them unless named'))
    .option('--all', 'every host of the config')
    .addHelpText(
      'after',
      examples('doctor', 'doctor --host pbs01 --json') +
        '\n\nEach finding comes with the commands that mend it. Changes nothing, posts nothing.' +
        '\nExit code 0: ready, perhaps with warnings; 1: something to mend; 2: the config itself.',
    )
    .action(run(async () => (await import('./commands/doctor.js')).doctor));
  const many = (flags: string, text: string) => new Option(flags, text).argParser(collect);
  add('init', 'ask the way to a config: endpoints, fingerprints, tokens, guests; writes the file')
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
    .option('--ansible', 'instead: print the tasks for a playbook')
    .option('--unit', 'instead: print the unit and the script for "upgrade": {"via": "service"}')
    .addHelpText(
      'after',
      `${examples(
        'init',
        'init --output config.json --defaults --pve pve1 --fingerprint AA:BB:…',
        'init --systemd',
      )}\n\nAnswers may come from a pipe, one a line. Nothing is written before the last question.`,
    )
    .action(run(async () => (await import('./commands/init.js')).init));
  add('schema', 'JSON Schema of the config file')
    .addHelpText('after', examples('schema > config.schema.json'))
    .action(run(async () => (await import('./commands/schema.js')).schema));
  add('completion', 'completion for a shell, host names of the config included')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      examples(
        'completion bash > /etc/bash_completion.d/pbs-ctl',
        'completion zsh > /usr/local/share/zsh/site-functions/_pbs-ctl',
        'completion fish > ~/.config/fish/completions/pbs-ctl.fish',
      ),
    )
    .action((shell: string, options: OptionValues, self: Command) =>
      run(async () => {
        const { completion } = await import('./commands/completion.js');
        return (context: Parameters<typeof completion>[0]) => completion(context, { shell });
      })(options, self),
    );
  // What the scripts of the shells call.
  root
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action((words: string[], options: OptionValues, self: Command) =>
      run(async () => {
        const [{ complete }, { treeOf }] = await Promise.all([
          import('./commands/completion.js'),
          import('./commands/completion-tree.js'),
        ]);
        return (context: Parameters<typeof complete>[0]) => complete(context, { words, tree: treeOf(root) });
      })(options, self),
    );
  root.command('manual', { hidden: true }).action((options: OptionValues, self: Command) =>
    run(async () => {
      const [{ manual }, { treeOf }] = await Promise.all([
        import('./commands/manual.js'),
        import('./commands/completion-tree.js'),
      ]);
      return (context: Parameters<typeof manual>[0]) =>
        manual(context, { tree: treeOf(root), version, closing });
    })(options, self),
  );
}

/** For options that may be repeated. */
export const collect = (value: string, previous: readonly string[] | undefined): string[] => [
  ...(previous ?? []),
  value,
];

export const examples = (...lines: readonly string[]) =>
  `\nExamples:\n${lines.map((line) => `  pbs-ctl ${line}`).join('\n')}`;
