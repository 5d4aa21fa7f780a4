import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pbsCtl, pbsCtlJson } from './support/in-process.js';

const hasMan = (() => {
  try {
    execFileSync('man', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

/** Every command that completion knows, with those below it. */
async function commands(path: readonly string[] = []): Promise<string[][]> {
  const { stdout } = await pbsCtl(['complete', '--', ...path, '']);
  const names = stdout
    .split('\n')
    .flatMap((line) => (line.includes('\t') ? [line.split('\t')[0] ?? ''] : []));
  if (path.length > 0 && path[0] !== 'lock') return [[...path]];
  if (path.length === 2) return [[...path]];
  return (await Promise.all(names.map((name) => commands([...path, name])))).flat();
}

describe('help', () => {
  it('of every command has an example that begins with that command', async () => {
    const all = await commands();
    expect(all.length).toBeGreaterThan(18);
    for (const path of all) {
      const { code, stdout } = await pbsCtl([...path, '--help']);
      expect({ code, path }).toEqual({ code: 0, path });
      expect(stdout).toContain(`Examples:\n  pbs-ctl ${path.join(' ')}`);
    }
  });
});

describe('without a command', () => {
  it.each([[['--json']], [['lock', '--json']]])('%j says so in its document', async (args) => {
    const { code, document } = await pbsCtlJson(args);
    expect({ code, document }).toEqual({
      code: 2,
      document: { error: { code: 'usage', message: 'No command was named.', hint: 'See pbs-ctl --help.' } },
    });
  });

  it('is shown the help on stderr', async () => {
    const { code, stdout, stderr } = await pbsCtl(['lock']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: pbs-ctl lock');
  });
});

describe('the manual page', () => {
  it('has every command and is roff without a warning', async () => {
    const { code, stdout } = await pbsCtl(['manual']);
    expect(code).toBe(0);
    for (const path of await commands()) expect(stdout).toContain(path.join(' '));
    expect(stdout).toContain('75   try again later');
    if (!hasMan) return;
    const file = join(tmpdir(), `pbs-ctl-${process.pid}.1`);
    writeFileSync(file, stdout);
    const { stderr } = await promisify(execFile)('man', [
      '--warnings',
      '-E',
      'UTF-8',
      '-l',
      '-Tutf8',
      '-Z',
      file,
    ]);
    expect(stderr).toBe('');
  });
});
