import { describe, expect, it } from 'vitest';
import { complete, type Values } from '../../src/commands/complete.js';
import type { CommandNode } from '../../src/commands/completion-tree.js';

const option = (long: string, value: string | null = null) => ({ long, short: null, value, description: '' });
const command = (name: string, more: Partial<CommandNode> = {}): CommandNode => ({
  name,
  description: '',
  options: [option('--json'), option('--config', '<file>')],
  arguments: [],
  commands: [],
  examples: [],
  ...more,
});
const tree = command('pbs-ctl', {
  commands: [
    command('patch', { options: [option('--host', '<name>'), option('--check'), option('--json')] }),
    command('report', { arguments: [{ name: 'run', variadic: false, required: true }] }),
    command('lock', {
      commands: [
        command('show'),
        command('hold', {
          options: [option('--cluster', '<name>')],
          arguments: [{ name: 'command', variadic: true, required: true }],
        }),
      ],
    }),
  ],
});
const values = (place: string): Values => {
  if (place === '--config') return 'files';
  const words: Readonly<Record<string, string[]>> = {
    'patch --host': ['pbs01', 'pbs02', 'backup'],
    'report run': ['last', 'k3f9x2'],
    'lock hold --cluster': ['main'],
  };
  return (words[place] ?? []).map((word) => ({ word, description: '' }));
};

describe('completion of', () => {
  it.each`
    line                                  | expected                   | because
    ${['']}                               | ${'patch report lock'}     | ${'commands come first'}
    ${['re']}                             | ${'report'}                | ${'what is typed counts'}
    ${['--']}                             | ${'--json --config'}       | ${'options of the program itself'}
    ${['lock', '']}                       | ${'show hold'}             | ${'a command has commands of its own'}
    ${['patch', '']}                      | ${''}                      | ${'it takes no argument'}
    ${['patch', '--host', '']}            | ${'pbs01 pbs02 backup'}    | ${'a value is wanted'}
    ${['patch', '--host', 'pbs']}         | ${'pbs01 pbs02'}           | ${'the rest does not fit'}
    ${['patch', '--host=ba']}             | ${'--host=backup'}         | ${'the word goes on after the sign'}
    ${['patch', '--host', '=', 'b']}      | ${'backup'}                | ${'bash takes it apart'}
    ${['patch', '--host', '=']}           | ${'pbs01 pbs02 backup'}    | ${'bash, nothing typed yet'}
    ${['patch', '--host', 'pbs01', '--']} | ${'--host --check --json'} | ${'--host may be repeated'}
    ${['patch', '--check', '--']}         | ${'--host --json'}         | ${'--check may not'}
    ${['--config', 'x', 'pa']}            | ${'patch'}                 | ${'options may stand before the command'}
    ${['report', '']}                     | ${'last k3f9x2'}           | ${'an argument is wanted'}
    ${['report', 'last', '']}             | ${''}                      | ${'and no second one'}
    ${['report', '--json', 'k']}          | ${'k3f9x2'}                | ${'an option is no argument'}
    ${['lock', 'hold', '--cluster', '']}  | ${'main'}                  | ${'the place counts, not the name alone'}
  `('$line is "$expected": $because', ({ line, expected }) => {
    const found = complete(tree, line, values);
    expect(found === 'files' ? found : found.map(({ word }) => word).join(' ')).toBe(expected);
  });

  it.each([[['--config', '']], [['lock', 'hold', '--', 'ls', '']]])('%j is left to the shell', (line) => {
    expect(complete(tree, line, values)).toBe('files');
  });
});
