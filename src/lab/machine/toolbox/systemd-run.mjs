// systemd-run: starts a transient unit that belongs to no service that could be restarted.
import { accessSync, closeSync, constants, existsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { report, rows, STATE, wait } from './state.mjs';
import { expand, unitEnvironment, writeTransient } from './unit.mjs';
import { keep } from './unit-keeper.mjs';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const VALUED = {
  unit: 'u',
  description: 'd',
  property: 'p',
  setenv: 'E',
  slice: 's',
  'service-type': 't',
  'on-active': 'o',
  'timer-property': 'T',
  'working-directory': 'w',
  'expand-environment': 'x',
};
const SHORT_VALUED = { u: 'u', p: 'p', E: 'E' };
const order = {
  unit: '',
  description: '',
  remain: false,
  collect: false,
  quiet: false,
  noBlock: false,
  onActive: null,
  accuracy: 60,
  expands: true,
  environment: {},
  properties: {},
};

const command = readOptions(process.argv.slice(2));
if (command.length === 0 && order.onActive === null) fail('Command line to execute required.');
const environment = unitEnvironment(order.environment, DEFAULT_PATH);
const program = find(command[0], environment.PATH);
if (!program) fail(`Failed to find executable ${command[0]}: No such file or directory`);
const id =
  order.unit === ''
    ? `run-u${process.pid}.service`
    : /\.\w+$/.test(order.unit)
      ? order.unit
      : `${order.unit}.service`;
if (existsSync(join(STATE, 'reexecuting')))
  fail('Failed to start transient service unit: Transport endpoint is not connected');
report('unit-requested', { unit: id });
const slow = Number(rows('slow-starts')[0]?.[0] ?? 0);
if (slow > 0) await wait(slow);
if (existsSync(join(STATE, 'units', id))) {
  fail(`Failed to start transient service unit: Unit ${id} was already loaded or has a fragment file.`);
}
// Only the arguments are expanded, by systemd itself: the shell in the unit never sees these dollars.
const args = order.expands ? command.slice(1).flatMap((word) => expand(word, environment)) : command.slice(1);
const job = { ...order, id, command: [program, ...args], environment };
writeTransient(id, {
  description: order.description || command.join(' '),
  type: order.properties.Type ?? 'simple',
  keeper: process.pid,
  waiting: order.onActive !== null,
});
const told = order.quiet
  ? ''
  : order.onActive === null
    ? `Running as unit: ${id}`
    : `Running timer as unit: ${id.replace('.service', '.timer')}\nWill run service as unit: ${id}`;
// Like the real one, says so when the job has started: from then on `systemctl stop` finds whom to end.
const { started, ended } = keep(job);
await (order.properties.Type === 'oneshot' && !order.noBlock ? ended : started);
answer(0, told);

function readOptions(words) {
  let index = 0;
  for (; index < words.length; index += 1) {
    const word = words[index];
    if (word === '--') return words.slice(index + 1);
    if (!word.startsWith('-') || word === '-') break;
    if (word.startsWith('--')) {
      const at = word.indexOf('=');
      const name = at < 0 ? word.slice(2) : word.slice(2, at);
      if (name in VALUED) set(VALUED[name], at < 0 ? words[++index] : word.slice(at + 1));
      else if (name === 'remain-after-exit') order.remain = true;
      else if (name === 'collect') order.collect = true;
      else if (name === 'quiet') order.quiet = true;
      else if (name === 'no-block') order.noBlock = true;
      else if (name !== 'system') fail(`systemd-run: unrecognized option '${word}'`);
    } else if (word[1] in SHORT_VALUED)
      set(SHORT_VALUED[word[1]], word.length > 2 ? word.slice(2) : words[++index]);
    else {
      for (const flag of word.slice(1)) {
        if (flag === 'r') order.remain = true;
        else if (flag === 'G') order.collect = true;
        else if (flag === 'q') order.quiet = true;
        else fail(`systemd-run: invalid option -- '${flag}'`);
      }
    }
  }
  return words.slice(index);
}

function set(kind, value = '') {
  const at = value.indexOf('=');
  const [key, rest] = at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
  if (kind === 'u') order.unit = value;
  else if (kind === 'd') order.description = value;
  else if (kind === 'E') order.environment[key] = rest ?? process.env[key] ?? '';
  else if (kind === 't') order.properties.Type = value;
  else if (kind === 'w') order.properties.WorkingDirectory = value;
  else if (kind === 'o') order.onActive = seconds(value);
  else if (kind === 'T' && key === 'AccuracySec') order.accuracy = seconds(rest ?? '60');
  else if (kind === 'x') {
    // Newer than the systemd of Debian 12.
    if (Number(rows('debian')[0]?.[0] ?? 13) < 13)
      fail(`systemd-run: unrecognized option '--expand-environment=${value}'`);
    order.expands = !['no', 'false', '0', 'off'].includes(value);
  } else if (kind === 'p') {
    if (rest === undefined) fail(`Not an assignment: ${value}`);
    if (key === 'Environment') set('E', rest);
    else if (key === 'RemainAfterExit') order.remain = rest === 'yes' || rest === 'true';
    else order.properties[key] = rest;
  }
}

function seconds(text) {
  const [, number = '0', unit = 's'] =
    /^([\d.]+)(ms|s|sec|min|m|h)?$/.exec(text) ?? fail(`Failed to parse time span: ${text}`);
  return Number(number) * ({ ms: 0.001, min: 60, m: 60, h: 3600 }[unit] ?? 1);
}

function find(name, path) {
  const candidates = name.startsWith('/') ? [name] : path.split(':').map((dir) => join(dir, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

function fail(text) {
  answer(1, text);
  process.exit(1);
}

/** To the stand-in that a person calls. It may have been killed meanwhile. */
function answer(code, text) {
  try {
    writeSync(3, `${code}\n${text === '' ? '' : `${text}\n`}.\n`);
    closeSync(3);
  } catch {
    // The unit runs all the same.
  }
}
