import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Guest } from '../../src/guest/exec.js';
import { takeInside } from '../../src/guest/inside.js';
import { takeSurvey } from '../../src/guest/survey.js';
import { UPGRADE_ENVIRONMENT, upgradeScript } from '../../src/guest/upgrade-script.js';
import { clearUpgrade, startUpgrade, viewUpgrade } from '../../src/guest/upgrade-unit.js';

const page = readFileSync(new URL('../../docs/privileges.md', import.meta.url), 'utf8').replaceAll(
  '\\|',
  '|',
);
const ORDER = {
  repairDpkg: true,
  cleanup: true,
  protectedPackages: ['NAMES'],
  removals: ['REMOVALS'],
  planDigest: 'DIGEST',
};

/** What would be executed in the guest, as one text. */
async function commandOf(act: (guest: Guest) => Promise<unknown>): Promise<string> {
  let sent = '';
  const agent = {
    exec: async (_vmid: number, command: string[]) => {
      sent += command.join('\n');
      return 1;
    },
    execStatus: async () => ({ exited: true, exitCode: 0, signal: null, stdout: '', stderr: '' }),
  };
  await act({
    pve: { agent },
    vmid: 900,
    clock: { sleep: async () => {}, monotonic: () => 0 },
  } as unknown as Guest).catch(() => {});
  return sent;
}

it('docs/privileges.md has every command of the look into the guest', async () => {
  const survey = await commandOf(takeSurvey);
  const commands = [...survey.matchAll(/^part [a-z]+ (.*)$/gm)].map(([, command = '']) => command);
  expect(commands.length).toBeGreaterThan(10);
  const functions = [
    'locks',
    'disks',
    'network',
    'links',
    'now',
    'certificate',
    'pins',
    'lists',
    'requirers',
  ];
  for (const command of commands.filter((each) => !functions.includes(each))) expect(page).toContain(command);
  for (const command of [
    "date +%s && cut -d ' ' -f 1 /proc/uptime",
    'head -c 65536 /etc/proxmox-backup/proxy.pem',
    'systemctl show -p Id -p RequiredBy -p BoundBy -p RequisiteOf',
  ]) {
    expect(page).toContain(command);
    expect(survey).toContain(command);
  }
});

it('docs/privileges.md has every command of the look that recover takes', async () => {
  const symptoms = await commandOf(takeInside);
  const commands = [...symptoms.matchAll(/^(?:part [a-z]+|\s+(?=journalctl)) ?(.*)$/gm)];
  expect(commands.length).toBeGreaterThan(10);
  for (const [, command = ''] of commands)
    if (!['locks', 'disks', 'network', 'links'].includes(command)) expect(page).toContain(command);
});

it('docs/privileges.md has every line of the upgrade, in its order', () => {
  const options =
    '-o APT::Get::Purge=false -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';
  expect(page).toContain(options);
  let at = page.indexOf('### Upgrading');
  for (const line of upgradeScript(ORDER, '/run/pbs-ctl-RUN').split('\n')) {
    at = page.indexOf(line.replaceAll(options, 'OPTIONS'), at);
    expect({ line, documented: at > 0 }).toEqual({ line, documented: true });
  }
  for (const name of Object.keys(UPGRADE_ENVIRONMENT)) expect(page).toContain(name);
});

it('docs/privileges.md has how the unit is started, watched and cleared away', async () => {
  const start = await commandOf((guest) => startUpgrade(guest, { ...ORDER, run: 'RUN', attempt: 1 }));
  const watch = await commandOf((guest) => viewUpgrade(guest, { run: 'RUN', attempt: 1 }, 0));
  const clear = await commandOf((guest) => clearUpgrade(guest, 'RUN'));
  const [, , script = ''] = start.split('\n');
  const steps = script.split('; ');
  expect(steps).toContain('mkdir -m 0700 /run/pbs-ctl-RUN.1 || exit');
  for (const text of [...steps, '--remain-after-exit']) expect(page).toContain(text);
  for (const command of watch.matchAll(/^(systemctl show .*|tail -n 1 \S+)/gm))
    expect(page).toContain(command[0]);
  for (const command of ['systemctl stop', 'systemctl reset-failed', 'rm -rf /run/pbs-ctl-RUN']) {
    expect(clear).toContain(command);
    expect(page).toContain(command);
  }
});
