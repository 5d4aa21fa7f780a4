import { Command, type CommandUnknownOpts, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { type Candidates, candidates } from '../../src/commands/completion.js';

const root = new Command('pbs-ctl');
root.command('patch').option('--host <name>').option('--check');
root
  .command('report')
  .argument('<run>')
  .addOption(new Option('--format <format>').choices(['text', 'html']));
const lock = root.command('lock');
lock.command('show');
lock.command('hold').option('--cluster <name>').argument('<command...>');
root.command('complete', { hidden: true });
const everywhere = [new Option('--json'), new Option('--config <file>')];
const setUp = (command: CommandUnknownOpts): void => {
  command.helpOption(false);
  for (const option of everywhere) command.addOption(option);
  command.commands.forEach(setUp);
};
setUp(root);

const values = (place: string): Candidates => {
  if (place.endsWith('--config')) return 'files';
  const words: Readonly<Record<string, string[]>> = {
    'patch --host': ['pbs01', 'pbs02', 'backup'],
    'report run': ['last', 'k3f9x2'],
    'lock hold --cluster': ['main'],
  };
  return (words[place] ?? []).map((word) => ({ word, description: '' }));
};

const complete = (words: readonly string[]) =>
  candidates({ words, root, mayRepeat: ({ long }) => long === '--host' }, values);

describe('completion of', () => {
  it.each`
    line                                  | expected                            | because
    ${['']}                               | ${'patch report lock'}              | ${'commands come first'}
    ${['re']}                             | ${'report'}                         | ${'what is typed counts'}
    ${['--']}                             | ${'--json --config'}                | ${'options of the program itself'}
    ${['lock', '']}                       | ${'show hold'}                      | ${'a command has commands of its own'}
    ${['patch', '']}                      | ${''}                               | ${'it takes no argument'}
    ${['patch', '--host', '']}            | ${'pbs01 pbs02 backup'}             | ${'a value is wanted'}
    ${['patch', '--host', 'pbs']}         | ${'pbs01 pbs02'}                    | ${'the rest does not fit'}
    ${['patch', '--host=ba']}             | ${'--host=backup'}                  | ${'the word goes on after the sign'}
    ${['patch', '--host', '=', 'b']}      | ${'backup'}                         | ${'bash takes it apart'}
    ${['patch', '--host', '=']}           | ${'pbs01 pbs02 backup'}             | ${'bash, nothing typed yet'}
    ${['patch', '--host', 'pbs01', '--']} | ${'--host --check --json --config'} | ${'--host may be repeated'}
    ${['patch', '--check', '--']}         | ${'--host --json --config'}         | ${'--check may not'}
    ${['--config', 'x', 'pa']}            | ${'patch'}                          | ${'options may stand before the command'}
    ${['report', '']}                     | ${'last k3f9x2'}                    | ${'an argument is wanted'}
    ${['report', 'last', '']}             | ${''}                               | ${'and no second one'}
    ${['report', '--json', 'k']}          | ${'k3f9x2'}                         | ${'an option is no argument'}
    ${['report', '--format', '']}         | ${'text html'}                      | ${'the choices are those of the option'}
    ${['lock', 'hold', '--cluster', '']}  | ${'main'}                           | ${'the place counts, not the name alone'}
  `('$line is "$expected": $because', ({ line, expected }) => {
    const found = complete(line);
    expect(found === 'files' ? found : found.map(({ word }) => word).join(' ')).toBe(expected);
  });

  it.each([[['--config', '']], [['lock', 'hold', '--', 'ls', '']]])('%j is left to the shell', (line) => {
    expect(complete(line)).toBe('files');
  });
});
