import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pbsCtl } from '../support/in-process.js';

const hasMan = (() => {
  try {
    execFileSync('man', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

describe('the manual page', () => {
  const { man } = JSON.parse(readFileSync('package.json', 'utf8')) as { man: string };
  const page = readFileSync(man, 'utf8');

  it('has every command, with its options and examples', async () => {
    const { stdout } = await pbsCtl(['complete', '--', '']);
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(names.length).toBeGreaterThan(14);
    for (const name of names) expect(page).toMatch(new RegExp(`^\\.SS "${name}[ "]`, 'm'));
    expect(page).toContain('.SS "lock hold COMMAND..."');
    expect(page).toContain('when to reboot, instead of what the policy says (choices: \\(dqalways\\(dq, ');
    expect(page).toContain('\n    pbs\\-ctl lock break \\-\\-cluster main \\-\\-yes\n.EE');
    expect(page).toContain('75   try again later');
  });

  it.skipIf(!hasMan)('is roff without a warning', async () => {
    const args = ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', man];
    expect((await promisify(execFile)('man', args)).stderr).toBe('');
  });
});
