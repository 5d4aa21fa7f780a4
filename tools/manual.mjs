// Prints the manual page of all commands, in the roff of man(7), read off the same tree as --help.
// The build puts it beside the program, where `man` finds it once it is installed: npm run build:manual
import { readFileSync } from 'node:fs';

const { program } = await import(new URL('../dist/program.js', import.meta.url).href);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

let written = '';
const out = {
  write: (text) => {
    written += text;
  },
};
const root = program(version, { stdout: out, stderr: out }, false, () => async () => {});
const help = root.createHelp();
const globals = help.visibleOptions(root);
const visible = (command) => help.visibleCommands(command).filter((each) => each.name() !== 'help');

process.stdout.write(
  [
    `.TH PBS\\-CTL 1 "" "pbs\\-ctl ${escaped(version)}" "User Commands"`,
    '.SH NAME',
    'pbs\\-ctl \\- patches Proxmox Backup Server hosts safely, over REST APIs',
    '.SH SYNOPSIS',
    '.B pbs\\-ctl',
    '.I command',
    '[\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    text(sentence(root.description())),
    '.SH COMMANDS',
    ...visible(root).flatMap((command) => section(command, [command.name()])),
    '.SH "OPTIONS OF EVERY COMMAND"',
    ...globals.flatMap(optionLines),
    '.SH NOTES',
    '.EX',
    ...added(root).map(escaped),
    '.EE',
    '',
  ].join('\n'),
);

/** A command, or each of those below it. */
function section(command, path) {
  const below = visible(command);
  if (below.length > 0) return below.flatMap((each) => section(each, [...path, each.name()]));
  const own = help.visibleOptions(command).filter(({ long }) => globals.every((each) => each.long !== long));
  const examples = added(command);
  return [
    `.SS "${escaped([...path, ...command.registeredArguments.map(argumentText)].join(' '))}"`,
    text(sentence(command.description())),
    ...own.flatMap(optionLines),
    ...[
      '.PP',
      '.EX',
      ...examples.slice(examples.indexOf('Examples:') + 1).map((line) => `  ${escaped(line)}`),
      '.EE',
    ],
  ];
}

/** The lines that were added to its help, up to the first empty one; of the program itself all. */
function added(command) {
  written = '';
  command.outputHelp();
  const after = written.slice(command.helpInformation().length).trim();
  return (command === root ? after : after.split('\n\n')[0]).split('\n');
}

function optionLines(option) {
  const [, names, value = ''] = /^([^<[]+?)( ?[<[].*)?$/.exec(option.flags);
  return ['.TP', `\\fB${escaped(names)}\\fR${escaped(value)}`, text(help.optionDescription(option))];
}

function argumentText(argument) {
  const name = `${argument.name().toUpperCase()}${argument.variadic ? '…' : ''}`;
  return argument.required ? name : `[${name}]`;
}

function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.?!]$/.test(words) ? '' : '.'}`;
}

/** A line that begins with a dot or a quote would be a request of roff. */
function text(words) {
  return escaped(words).replace(/^[.']/, '\\&$&');
}

function escaped(words) {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
    .replaceAll('"', '\\(dq')
    .replaceAll('…', '...');
}
