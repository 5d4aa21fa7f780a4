import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeJournal } from './journal.js';
import { agentEnvironment, intoMachine } from './shell.js';

/** One run of a oneshot unit. With the machine it goes down without another word. */
export interface OneshotRun {
  pid?: number;
  killed: boolean;
  readonly ended: Promise<number | null>;
}

/** As {@link run}, with what it takes to end it. */
export function startOneshot(
  root: string,
  options: { factor: number; bootId: string; unit: string },
): OneshotRun {
  const started: { pid?: number; killed: boolean } = { killed: false };
  return Object.assign(started, { ended: run(root, options, started) });
}

/**
 * What `systemctl start` does with a oneshot unit that an administrator installed: runs its script to the
 * end, its output going to the journal.
 * @returns the exit code, or null where there is no such unit
 */
async function run(
  root: string,
  { factor, bootId, unit }: { factor: number; bootId: string; unit: string },
  started: { pid?: number; killed: boolean },
): Promise<number | null> {
  const file = join(root, 'etc/systemd/system', unit);
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8');
  const title = `${unit} - ${/^Description=(.*)$/m.exec(text)?.[1] ?? unit}`;
  const write = (identifier: string, words: string) => {
    if (!started.killed) writeJournal(root, { bootId, unit, identifier }, words);
  };
  const about = (words: string) => write('systemd[1]', words);
  const script = /^ExecStart=\/bin\/sh (\S+)$/m.exec(text)?.[1];
  if (script === undefined || !existsSync(join(root, script))) return 203;
  const environment = Object.fromEntries(
    [...text.matchAll(/^Environment=(\w+)=(.*)$/gm)]
      .filter(([, name]) => name !== 'PATH')
      .map(([, name, value]) => [name, intoMachine(value ?? '', root)]),
  );
  about(`Starting ${title}...`);
  const child = spawn('/bin/sh', ['-c', intoMachine(readFileSync(join(root, script), 'utf8'), root)], {
    cwd: root,
    env: { ...agentEnvironment(root, factor), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  if (child.pid !== undefined) started.pid = child.pid;
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) =>
      write(`sh[${child.pid ?? 0}]`, line.replaceAll(root, '')),
    );
  }
  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(203));
    child.on('close', (ended) => resolve(ended ?? 137));
  });
  if (code === 0) about(`Finished ${title}.`);
  else {
    about(`${unit}: Main process exited, code=exited, status=${code}/n/a`);
    about(`${unit}: Failed with result 'exit-code'.`);
    about(`Failed to start ${title}.`);
  }
  return code;
}
