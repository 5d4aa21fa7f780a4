// One run of apt over a list of changes: download, unpack, configure, with progress on the status channel.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { complainOf, configure, fails, log, plan } from './configure.mjs';
import { complain, dropPackage, dropPending, print, ROOT, rows, setPackage, wait, write } from './state.mjs';

const FAILED = 100;
const DOWNLOAD_SHARE = 0.25;
const JOURNAL = join(ROOT, 'var/lib/dpkg/updates/0001');
const HISTORY = join(ROOT, 'var/log/apt/history.log');
const TERM = join(ROOT, 'var/log/apt/term.log');

/** @returns apt's exit code */
export async function upgrade(changes, unfinished, { statusFd, keepsOldConffiles, commandLine }) {
  const status = (line) => statusFd !== null && write(statusFd, `${line}\n`);
  const archives = changes.filter(([action]) => action !== 'remove');
  const bytes = archives.reduce((sum, [, , , , , size]) => sum + Number(size), 0);
  const [root] = rows('mounts').filter(([path]) => path === '/');
  if (root && Number(root[4]) - Number(root[5]) < bytes * 3) {
    complain("E: You don't have enough free space in /var/cache/apt/archives/.");
    return FAILED;
  }
  for (const [index, [, name, , to, origin]] of archives.entries()) {
    const percent = ((index / archives.length) * 100).toFixed(4);
    status(`dlstatus:${index + 1}:${percent}:Retrieving file ${index + 1} of ${archives.length}`);
    await wait((plan.seconds * DOWNLOAD_SHARE) / archives.length);
    if (fails(name, 'download')) {
      complain(`Err:${index + 1} http://mirror.example/debian ${name} ${to}\n  404  Not Found`);
      complain(
        `E: Failed to fetch http://mirror.example/debian/pool/${name}_${to}_amd64.deb  404  Not Found`,
      );
      complain('E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?');
      return FAILED;
    }
    print(`Get:${index + 1} ${origin} amd64 ${name} amd64 ${to}`);
    status(
      `dlstatus:${index + 1}:${(((index + 1) / archives.length) * 100).toFixed(4)}:Retrieving file ${index + 1} of ${archives.length}`,
    );
  }
  if (archives.length > 0) print(`Fetched ${(bytes / 1e6).toFixed(1)} MB in 3s`);
  return runDpkg(changes, archives, unfinished, { status, keepsOldConffiles, commandLine });
}

async function runDpkg(changes, archives, unfinished, { status, keepsOldConffiles, commandLine }) {
  // While dpkg has entries here, a kill leaves an interrupted dpkg behind.
  writeFileSync(JOURNAL, '');
  const started = new Date().toISOString().slice(0, 19).replace('T', '  ');
  const upgraded = archives.map(([, name, from, to]) => `${name}:amd64 (${from}, ${to})`).join(', ');
  appendFileSync(HISTORY, `\nStart-Date: ${started}\nCommandline: ${commandLine}\nUpgrade: ${upgraded}\n`);
  appendFileSync(TERM, `\nLog started: ${started}\n`);
  const toConfigure = [...unfinished, ...archives.map((row) => row[1])];
  const pause = (plan.seconds * (1 - DOWNLOAD_SHARE)) / Math.max(1, archives.length + toConfigure.length);
  const steps = archives.length * 2 + toConfigure.length * 3 + 1;
  let step = 0;
  const progress = (name, text) => {
    status(`pmstatus:${name}:${((step++ / steps) * 100).toFixed(4)}:${text} ${name} (amd64)`);
  };

  status('pmstatus:dpkg-exec:0.0000:Running dpkg');
  for (const [, name, from] of changes.filter(([action]) => action === 'remove')) {
    print(`Removing ${name} (${from}) ...`);
    status(`pmstatus:${name}:0.0000:Removing ${name} (amd64)`);
    await wait(pause);
    dropPackage(name);
    dropPending(name);
    log(`remove ${name}:amd64 ${from} <none>`);
  }
  for (const [action, name, from, to] of archives) {
    progress(name, 'Preparing');
    print(
      action === 'install'
        ? `Selecting previously unselected package ${name}.`
        : `Preparing to unpack .../${name}_${to}_amd64.deb ...`,
    );
    progress(name, 'Unpacking');
    print(`Unpacking ${name} (${to})${action === 'install' ? '' : ` over (${from})`} ...`);
    await wait(pause);
    log(`${action} ${name}:amd64 ${from || '<none>'} ${to}`);
    setPackage(name, 'U', to);
    dropPending(name);
  }
  const failed = [];
  status(`pmstatus:dpkg-exec:${((step / steps) * 100).toFixed(4)}:Running dpkg`);
  for (const name of toConfigure) {
    progress(name, 'Preparing to configure');
    progress(name, 'Configuring');
    const failure = await configure(name, pause, keepsOldConffiles);
    const percent = ((step / steps) * 100).toFixed(4);
    if (failure) {
      failed.push(name);
      complainOf(name, failure.why);
      if (failure.conffile)
        status(
          `pmconffile:${failure.conffile}:${percent}:'${failure.conffile}' '${failure.conffile}.dpkg-new' 1 1 `,
        );
      status(`pmerror:${name}:${percent}:${failure.why}`);
    } else progress(name, 'Installed');
  }
  rmSync(JOURNAL, { force: true });
  const ended = new Date().toISOString().slice(0, 19).replace('T', '  ');
  if (failed.length > 0) {
    complain(`Errors were encountered while processing:\n${failed.map((name) => ` ${name}`).join('\n')}`);
    complain('E: Sub-process /usr/bin/dpkg returned an error code (1)');
    appendFileSync(HISTORY, 'Error: Sub-process /usr/bin/dpkg returned an error code (1)\n');
  } else if (plan.rebootRequired) {
    writeFileSync(join(ROOT, 'run/reboot-required'), '*** System restart required ***\n');
  }
  appendFileSync(HISTORY, `End-Date: ${ended}\n`);
  appendFileSync(TERM, `Log ended: ${ended}\n`);
  return failed.length > 0 ? FAILED : 0;
}
