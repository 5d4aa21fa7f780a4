import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemdFiles } from '../../src/setup/recipes.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

const run = promisify(execFile);
const hasAnalyzer = (() => {
  try {
    execFileSync('systemd-analyze', ['--version']);
    return true;
  } catch {
    return false;
  }
})();
const UNITS = ['pbs-ctl.service', 'pbs-ctl.timer'].map((name) => join('packaging/systemd', name));

/** Empty where systemd has nothing to say against the units. */
const verified = async (paths: readonly string[]) => {
  const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...paths]);
  return stdout + stderr;
};

describe('service and timer', () => {
  it('in packaging/systemd are those that init --systemd prints without a config', () => {
    expect(systemdFiles(null, null).map(({ text }) => text)).toEqual(
      UNITS.map((path) => readFileSync(path, 'utf8')),
    );
  });

  it.skipIf(!hasAnalyzer)(
    'are accepted by systemd, and leave the service little to do harm with',
    async () => {
      expect(await verified(UNITS)).toBe('');
      const { stdout } = await run('systemd-analyze', [
        'security',
        '--offline=true',
        '--no-pager',
        UNITS[0] ?? '',
      ]);
      const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      expect(exposure).toBeLessThanOrEqual(2);
    },
  );

  it('take a postponement for no failure', () => {
    expect(readFileSync('packaging/systemd/pbs-ctl.service', 'utf8')).toContain('\nSuccessExitStatus=75\n');
  });

  it.skipIf(!hasAnalyzer)('load the secrets of the config as credentials', () =>
    withLab({}, async (lab) => {
      const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
      config.hosts.pbs02.secret = { credential: 'pbs02-token' };
      writeFileSync(lab.configPath, JSON.stringify(config));
      const { code, document } = await pbsCtlJson<{ files: Array<{ path: string; text: string }> }>([
        ...['init', '--systemd', '--config', lab.configPath],
      ]);
      expect(code).toBe(0);
      const service = document.files[0]?.text ?? '';
      expect(service).toContain(`LoadCredential=config.json:${lab.configPath}`);
      expect(service).toContain(`LoadCredential=pbs02-token:${lab.dir}/pbs02-token`);
      expect(service).toContain(`{"credential": "pve"}`);
      const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-units-'));
      for (const { path, text } of document.files) writeFileSync(join(folder, path), text);
      expect(await verified(document.files.map(({ path }) => join(folder, path)))).toBe('');
      rmSync(folder, { recursive: true });
    }),
  );

  it('are printed without any config', async () => {
    const env = { PBS_CTL_CONFIG: '', HOME: '/nowhere', XDG_CONFIG_HOME: '/nowhere' };
    const { code, stdout } = await pbsCtl(['init', '--systemd'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('LoadCredential=pve-token:/etc/pbs-ctl/pve-token');
  });
});
