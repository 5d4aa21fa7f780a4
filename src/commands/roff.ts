import type { CommandNode, OptionNode } from './completion-tree.js';

export interface ManualPage {
  readonly tree: CommandNode;
  readonly version: string;
  /** Exit codes, durations, where the config is looked for: what the help says at its end. */
  readonly closing: string;
}

/** The manual page of all commands, in the roff of man(7), read off the same tree as --help. Pure. */
export function manualPage({ tree, version, closing }: ManualPage): string {
  const shared = optionNames(tree);
  const commands = leaves(tree, []).flatMap(({ path, node }) => [
    `.SS "${escaped([...path, ...node.arguments.map(argumentText)].join(' '))}"`,
    text(sentence(node.description)),
    ...node.options.filter(({ long }) => !shared.has(long)).flatMap(optionLines),
    ...(node.examples.length === 0
      ? []
      : ['.PP', '.EX', ...node.examples.map((line) => escaped(`    ${line}`)), '.EE']),
  ]);
  return [
    `.TH PBS\\-CTL 1 "" "pbs\\-ctl ${escaped(version)}" "User Commands"`,
    '.SH NAME',
    'pbs\\-ctl \\- patches Proxmox Backup Server hosts safely, over REST APIs',
    '.SH SYNOPSIS',
    '.B pbs\\-ctl',
    '.I command',
    '[\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    text(sentence(tree.description)),
    '.SH COMMANDS',
    ...commands,
    '.SH "OPTIONS OF EVERY COMMAND"',
    ...tree.options.flatMap(optionLines),
    '.SH NOTES',
    '.EX',
    ...closing.trim().split('\n').map(escaped),
    '.EE',
    '',
  ].join('\n');
}

interface Leaf {
  readonly path: readonly string[];
  readonly node: CommandNode;
}

const leaves = (node: CommandNode, path: readonly string[]): Leaf[] =>
  node.commands.flatMap((each) => {
    const at = [...path, each.name];
    return each.commands.length > 0 ? leaves(each, at) : [{ path: at, node: each }];
  });

const optionNames = ({ options }: CommandNode) => new Set(options.map(({ long }) => long));
const argumentText = ({ name, variadic, required }: CommandNode['arguments'][number]) =>
  required ? `${name.toUpperCase()}${variadic ? '…' : ''}` : `[${name.toUpperCase()}]`;
const optionLines = ({ long, short, value, description }: OptionNode): string[] => [
  '.TP',
  `\\fB${escaped([short, long].filter(Boolean).join(', '))}\\fR${value ? ` ${escaped(value)}` : ''}`,
  text(description),
];
const sentence = (words: string) =>
  `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.?!]$/.test(words) ? '' : '.'}`;

/** A line that begins with a dot or a quote would be a request of roff. */
const text = (words: string) => escaped(words).replace(/^[.']/, '\\&$&');
const escaped = (words: string) =>
  words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
    .replaceAll('"', '\\(dq')
    .replaceAll('…', '...');
