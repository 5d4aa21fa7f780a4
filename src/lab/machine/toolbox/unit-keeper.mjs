// Keeps one transient unit: starts its process, notes how it ended.
import { spawn } from 'node:child_process';
import { appendFileSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ROOT, realMs, STATE, wait } from './state.mjs';
import { isLoaded, unload, writeTransient } from './unit.mjs';

/**
 * Ends with the lab at the latest.
 * @returns when the unit has started, or waits for its timer; and when it has ended
 */
export function keep(job) {
  const { id, command, environment, properties, onActive } = job;
  const facts = {
    description: job.description || command.join(' '),
    type: properties.Type ?? 'simple',
    keeper: process.pid,
  };
  let hasStarted;
  let hasEnded;
  const started = new Promise((resolve) => {
    hasStarted = resolve;
  });
  const ended = new Promise((resolve) => {
    hasEnded = resolve;
  });
  setInterval(() => {
    try {
      process.kill(Number(process.env.LAB_PID), 0);
    } catch {
      process.kill(-process.pid, 'SIGKILL');
    }
  }, 500).unref();
  void begin();
  return { started, ended };

  async function begin() {
    if (onActive !== null) {
      hasStarted();
      // A timer has an accuracy of a minute unless asked otherwise; take the middle of it.
      await wait(onActive + job.accuracy / 2);
    }
    if (isLoaded(id)) run();
    else {
      hasStarted();
      hasEnded();
    }
  }

  function run() {
    let output;
    try {
      output = target(properties.StandardOutput ?? 'journal');
    } catch {
      end({ good: false, result: 'exit-code', code: 1, status: 209 });
      return;
    }
    const error = properties.StandardError ?? 'inherit';
    const child = spawn(command[0], command.slice(1), {
      cwd: ROOT,
      env: environment,
      // The last is the way back to whoever asked for the unit: not for what runs in it.
      stdio: ['ignore', output, error === 'inherit' ? output : target(error), 'ignore'],
    });
    writeTransient(id, { ...facts, mainPid: child.pid, started: Date.now() });
    hasStarted();
    let timedOut = false;
    if (properties.RuntimeMaxSec && properties.RuntimeMaxSec !== 'infinity') {
      setTimeout(
        () => {
          timedOut = true;
          child.kill('SIGTERM');
        },
        realMs(Number.parseFloat(properties.RuntimeMaxSec)),
      ).unref();
    }
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => journal(id, String(text)));
    child.on('error', () => end({ good: false, result: 'exit-code', code: 1, status: 203 }));
    child.on('exit', (code, signal) => {
      facts.mainPid = child.pid;
      if (timedOut) end({ good: false, result: 'timeout', code: 2, status: 15 });
      else if (signal) {
        // These count as a clean end of a service.
        const clean = ['SIGHUP', 'SIGINT', 'SIGPIPE', 'SIGTERM'].includes(signal);
        const status = constants.signals[signal] ?? 9;
        end({ good: clean, result: clean ? 'success' : 'signal', code: 2, status });
      } else end({ good: code === 0, result: code === 0 ? 'success' : 'exit-code', code: 1, status: code });
    });
  }

  function end(ended) {
    hasStarted();
    hasEnded();
    if (!isLoaded(id)) return;
    // Without --remain-after-exit a good end takes the unit away, and then it reads like one that never was.
    if (job.collect || (ended.good && !job.remain)) unload(id);
    else writeTransient(id, { ...facts, ended });
  }
}

function target(where) {
  const [kind, path] = [where.slice(0, where.indexOf(':')), where.slice(where.indexOf(':') + 1)];
  if (kind === 'file') return openSync(path, 'a');
  if (kind === 'append') return openSync(path, 'a');
  if (kind === 'truncate') return openSync(path, 'w');
  return where === 'null' ? 'ignore' : 'pipe';
}

function journal(id, text) {
  const boot = readFileSync(join(ROOT, 'proc/sys/kernel/random/boot_id'), 'utf8').trim();
  const now = Math.floor(Date.now() / 1000);
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => `${boot}\t${now}\t${id}\t${line}\n`);
  appendFileSync(join(STATE, 'journal'), lines.join(''));
}
