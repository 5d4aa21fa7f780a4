import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeJournal } from './disk.js';
import { agentEnvironment, intoMachine } from './shell.js';

/**
 * What `systemctl start` does with a oneshot unit that an administrator installed: runs its script to the
 * end, its output going to the journal.
 * @returns the exit code, or null where there is no such unit
 */
export async function runOneshot(
  root: string,
  { factor, bootId, unit }: { factor: number; bootId: string; unit: string },
): Promise<number | null> {
  const file = join(root, 'etc/systemd/system', unit);
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8');
  const script = /^ExecStart=\/bin\/sh (\S+)$/m.exec(text)?.[1];
  if (script === undefined || !existsSync(join(root, script))) return 203;
  const environment = Object.fromEntries(
    [...text.matchAll(/^Environment=(\w+)=(.*)$/gm)]
      .filter(([, name]) => name !== 'PATH')
      .map(([, name, value]) => [name, intoMachine(value ?? '', root)]),
  );
  const child = spawn('/bin/sh', ['-c', intoMachine(readFileSync(join(root, script), 'utf8'), root)], {
    cwd: root,
    env: { ...agentEnvironment(root, factor), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) =>
      writeJournal(root, bootId, unit, line.replaceAll(root, '')),
    );
  }
  return new Promise((resolve) => {
    child.on('error', () => resolve(203));
    child.on('close', (code) => resolve(code ?? 137));
  });
}

/** What a unit wrote into the journal. */
export function unitLines(root: string, unit: string): string[] {
  const file = join(root, '.machine/journal');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, , name]) => name === unit)
    .map(([, , , words]) => words ?? '');
}
