// The part of apt-get that changes something: update, dist-upgrade, autoremove and the like.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  complain,
  dropPackage,
  holder,
  lock,
  print,
  ROOT,
  report,
  rows,
  save,
  unlockAll,
  wait,
} from './state.mjs';
import { upgrade } from './upgrade.mjs';

const FRONTEND = '/var/lib/dpkg/lock-frontend';
const ADMIN = '/var/lib/dpkg/lock';
const LISTS = '/var/lib/apt/lists/lock';
const FAILED = 100;

const { verb, names, options, flags } = readCommandLine(process.argv.slice(2));
process.exitCode = await run();

async function run() {
  switch (verb) {
    case 'update':
      return update();
    case 'check':
      for (const line of [
        'Reading package lists...',
        'Building dependency tree...',
        'Reading state information...',
      ])
        print(line);
      return 0;
    case 'dist-upgrade':
    case 'full-upgrade':
    case 'upgrade':
    case 'autoremove':
      return locked(verb === 'autoremove' ? autoremove : change);
    case 'install':
      return locked(install);
    case null:
      print('apt 3.0.3 (amd64)\nUsage: apt-get [options] command');
      return 0;
    default:
      return refuse(`Invalid operation ${verb}`);
  }
}

async function update() {
  const held = holder(LISTS);
  if (held) {
    print('Reading package lists...');
    complain(`E: Could not get lock ${LISTS}. It is held by process ${held.pid} (${held.process})`);
    return refuse('Unable to lock directory /var/lib/apt/lists/');
  }
  lock(LISTS, 'apt-get');
  await wait(2);
  print(
    'Hit:1 http://mirror.example/debian stable InRelease\nHit:2 http://mirror.example/pbs stable InRelease',
  );
  print('Reading package lists...');
  unlockAll();
  return 0;
}

async function locked(work) {
  const timeout = Number(options.get('dpkg::lock::timeout') ?? 0);
  for (let waited = 0; ; waited += 1) {
    const held = holder(FRONTEND);
    if (!held) break;
    if (waited >= timeout && timeout >= 0) {
      if (timeout === 0)
        complain(`E: Could not get lock ${FRONTEND}. It is held by process ${held.pid} (${held.process})`);
      return refuse(`Unable to acquire the dpkg frontend lock (${FRONTEND}), is another process using it?`);
    }
    print(
      `Waiting for cache lock: Could not get lock ${FRONTEND}. It is held by process ${held.pid} (${held.process})...`,
    );
    await wait(1);
  }
  if (holder(ADMIN))
    return refuse(
      'Unable to lock the administration directory (/var/lib/dpkg/), is another process using it?',
    );
  lock(FRONTEND, 'apt-get');
  try {
    if (readdirSync(join(ROOT, 'var/lib/dpkg/updates')).length > 0) {
      return refuse(
        "dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. ",
      );
    }
    return await work();
  } finally {
    unlockAll();
  }
}

async function change() {
  showPlan();
  const held = new Set(
    rows('packages')
      .filter(([status]) => status[0] === 'h')
      .map((row) => row[1]),
  );
  const changes = rows('pending').filter(
    ([action, name]) =>
      !held.has(name) &&
      (verb !== 'upgrade' || (action === 'upgrade' && !/^((proxmox|pve)-kernel|linux-image)-/.test(name))),
  );
  const unfinished = rows('packages')
    .filter(([status]) => status[1] !== 'i')
    .map((row) => row[1]);
  if (changes.length + unfinished.length === 0) return 0;
  if (!agreed()) return 1;
  if (holder('/var/cache/apt/archives/lock'))
    return refuse('Unable to lock directory /var/cache/apt/archives/');
  report('upgrade-started', { packages: changes.length });
  const code = await upgrade(changes, unfinished, {
    statusFd: options.has('apt::status-fd') ? Number(options.get('apt::status-fd')) : null,
    keepsOldConffiles: [...options.values()].some(
      (value) => value.includes('--force-confold') || value.includes('--force-confdef'),
    ),
    commandLine: `apt-get ${process.argv.slice(2).join(' ')}`,
  });
  if (code === 0)
    save(
      'autoremovable',
      rows('autoremovable').map(([name]) => [name, '']),
    );
  report('upgrade-finished', { exitCode: code });
  return code;
}

async function autoremove() {
  showPlan();
  const installed = new Set(rows('packages').map((row) => row[1]));
  const keep = process.env.LAB_KEEP ? new RegExp(process.env.LAB_KEEP) : null;
  const spare = rows('autoremovable')
    .filter(([name, when = '']) => installed.has(name) && when === '' && !keep?.test(name))
    .map(([name]) => name);
  if (spare.length === 0) return 0;
  if (!agreed()) return 1;
  for (const name of spare) {
    print(`Removing ${name} ...`);
    await wait(1);
    dropPackage(name);
  }
  save(
    'autoremovable',
    rows('autoremovable').filter(([name]) => !spare.includes(name)),
  );
  return 0;
}

async function install() {
  if (names.length === 0 && flags.has('f')) {
    const unfinished = rows('packages')
      .filter(([status]) => status[1] !== 'i')
      .map((row) => row[1]);
    return unfinished.length === 0
      ? 0
      : upgrade([], unfinished, {
          statusFd: options.has('apt::status-fd') ? Number(options.get('apt::status-fd')) : null,
          keepsOldConffiles: true,
          commandLine: 'apt-get -f install',
        });
  }
  const held = rows('packages').filter(([status, name]) => status[0] === 'h' && names.includes(name));
  if (held.length > 0)
    return refuse('Held packages were changed and -y was used without --allow-change-held-packages.');
  const known = new Set([...rows('packages'), ...rows('pending')].map((row) => row[1]));
  const unknown = names.find((name) => !known.has(name));
  if (unknown) return refuse(`Unable to locate package ${unknown}`);
  const changes = rows('pending').filter(([, name]) => names.includes(name));
  return upgrade(changes, [], {
    statusFd: null,
    keepsOldConffiles: false,
    commandLine: `apt-get install ${names.join(' ')}`,
  });
}

function showPlan() {
  const script = join(process.env.LAB_TOOLBOX ?? '', 'apt-plan.sh');
  spawnSync('/bin/sh', [script, verb], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** -y wins over --assume-no, as in the real one; without -y and without a terminal the answer is no. */
function agreed() {
  if (flags.has('y')) return true;
  print('Do you want to continue? [Y/n] Abort.');
  return false;
}

function refuse(text) {
  complain(`E: ${text}`);
  return FAILED;
}

function readCommandLine(words) {
  const found = { verb: null, names: [], options: new Map(), flags: new Set() };
  const option = (text) => {
    const at = text.indexOf('=');
    const key = text.slice(0, at).toLowerCase();
    // A key that ends in "::" adds to a list: keep each.
    found.options.set(key.endsWith('::') ? `${key}${found.options.size}` : key, text.slice(at + 1));
  };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === '-o' || word === '--option') option(words[++index] ?? '');
    else if (word.startsWith('-o')) option(word.slice(2));
    else if (
      word === '--yes' ||
      word === '--assume-yes' ||
      word === '-qy' ||
      word === '-yq' ||
      word === '-yqq' ||
      word === '-qqy'
    )
      found.flags.add('y');
    else if (
      /^(-y|-q+|-q=\d+|--quiet|--assume-no|--no-install-recommends|--allow-change-held-packages|--purge|--auto-?remove|--no-remove|-f|--fix-broken)$/.test(
        word,
      )
    ) {
      if (word === '-y') found.flags.add('y');
      if (word === '-f' || word === '--fix-broken') found.flags.add('f');
    } else if (word.startsWith('-')) {
      complain(`E: Command line option ${word} is not understood in combination with the other options`);
      process.exit(FAILED);
    } else if (found.verb === null) found.verb = word;
    else found.names.push(word);
  }
  return found;
}
