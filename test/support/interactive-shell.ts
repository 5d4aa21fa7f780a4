import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAMS = ['pveum', 'proxmox-backup-manager', 'proxmox-backup-debug', 'pvesh', 'pvenode'];

/**
 * Types text into an interactive bash, which expands "!" from its history as `bash -c` does not.
 * @returns the calls of Proxmox programs, words joined by blanks; stand-ins take their place
 */
export async function typed(text: string): Promise<{ calls: string[]; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'typed-'));
  const log = join(folder, 'calls');
  for (const name of PROGRAMS) {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> '${log}'\n`);
    chmodSync(file, 0o755);
  }
  try {
    // Detached, so that it does not take the terminal of the person who runs the tests.
    const shell = spawn('bash', ['--norc', '--noprofile', '-i'], {
      env: { PATH: `${folder}:/usr/bin:/bin`, HISTFILE: '/dev/null', PS1: '', PS2: '' },
      detached: true,
      timeout: 20_000,
    });
    let stderr = '';
    shell.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    shell.stdin.end(`${text}\nexit\n`);
    await once(shell, 'close');
    const calls = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    return { calls, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
