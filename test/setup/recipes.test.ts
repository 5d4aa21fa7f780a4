import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { unitFiles } from '../../src/setup/recipes.js';
import { pbsCtl } from '../support/in-process.js';

const host = (policy: object, unit?: string) => ({
  endpoint: `https://pbs.example.net:8007`,
  token: 'pbs-ctl@pbs!patch',
  secret: { env: 'X' },
  serves: ['main'],
  ...(unit ? { upgrade: { via: 'service', unit } } : { guest: { cluster: 'main', vmid: 900 } }),
  policy,
});
const configOf = (hosts: Record<string, object>) => {
  const example = JSON.parse(readFileSync('config.example.json', 'utf8'));
  const clusters = { main: { ...example.clusters.main, lock: { vmid: 900 } } };
  return parseConfig(JSON.stringify({ clusters, hosts }), 'config.json');
};
const withFiles = (files: ReadonlyArray<{ path: string; text: string }>, act: (folder: string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-recipes-'));
  try {
    for (const { path, text } of files) writeFileSync(join(folder, basename(path)), text);
    act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
const has = (program: string, ...args: string[]) => {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe('init --unit', () => {
  it('prints the unit and the script that the road "service" starts, without any config', async () => {
    const env = { PBS_CTL_CONFIG: '', HOME: '/nowhere', XDG_CONFIG_HOME: '/nowhere' };
    const { code, stdout } = await pbsCtl(['init', '--unit'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('# /etc/systemd/system/pbs-ctl-upgrade.service\n[Unit]');
    expect(stdout).toContain('# /usr/local/sbin/pbs-ctl-upgrade\n#!/bin/sh');
    expect(stdout).toContain('^(Remv|Purg) ');
  });

  it('takes name and policy of each host that is upgraded so, and tells which files are for which', () => {
    const config = configOf({
      pbs01: host({}),
      pbs02: host({}, 'a.service'),
      pbs03: host({}, 'a.service'),
      pbs04: host({ cleanup: false }, 'b.service'),
    });
    const files = unitFiles(config);
    expect(files.map(({ path, hosts }) => [basename(path), hosts])).toEqual([
      ['a.service', ['pbs02', 'pbs03']],
      ['pbs-ctl-upgrade', ['pbs02', 'pbs03']],
      ['b.service', ['pbs04']],
      ['pbs-ctl-upgrade', ['pbs04']],
    ]);
    expect(files.map(({ text }) => text.includes('NeverAutoRemove'))).toEqual([false, true, false, false]);
  });

  it('prints a script that sh can read', () =>
    withFiles(unitFiles(null), (folder) =>
      execFileSync('/bin/sh', ['-n', join(folder, 'pbs-ctl-upgrade')], { stdio: 'pipe' }),
    ));

  it.skipIf(!has('systemd-analyze', '--version'))('prints a unit that systemd accepts', () =>
    withFiles(unitFiles(null), (folder) => {
      const unit = join(folder, 'pbs-ctl-upgrade.service');
      expect(execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' }).length).toBe(0);
    }),
  );
});
