import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { upgradeFiles } from '../../src/guest/upgrade-script.js';
import type { Lab } from '../../src/lab/lab.js';
import type { Scenario } from '../../src/lab/scenarios/scenario.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, withLab, withScenario } from '../support/lab.js';

interface Checked {
  readonly checks: Array<{ id: string; status: string; summary: string }>;
}
interface Config {
  clusters: { main: { lock?: { vmid: number } } };
  hosts: Record<string, { guest?: { vmid: number }; serves?: string[]; upgrade?: object }>;
}

function edit({ configPath }: Lab, change: (config: Config) => void): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as Config;
  change(config);
  writeFileSync(configPath, JSON.stringify(config));
}
const about = async (lab: Lab, command = 'preflight') => {
  const args = [command, '--host', 'pbs01', '--config', lab.configPath];
  const { code, document } = await pbsCtlJson<Checked & { findings?: never }>(args);
  const found = document.checks.find(({ id }) => id === 'host.identity');
  const not = (status: string) =>
    document.checks.filter((each) => each.status === status).map(({ id }) => id);
  return {
    code,
    status: found?.status,
    summary: found?.summary ?? '',
    blocks: not('block'),
    skips: not('skip'),
  };
};
const changes = (lab: Lab) =>
  lab.record.events.filter(({ kind }) => /^(upgrade-started|reboot)$/.test(kind)).map(({ host }) => host);

describe('the right machine', () => {
  it.concurrent('a vmid that is another PBS blocks, and no machine is changed', ({ expect }) =>
    withLab({}, async (lab) => {
      edit(lab, ({ hosts }) => {
        hosts.pbs01 = { ...hosts.pbs01, guest: { ...hosts.pbs01?.guest, vmid: 901 } };
        delete hosts.pbs02;
      });
      const { status, summary } = await about(lab);
      expect({ status, summary }).toEqual({
        status: 'block',
        summary: expect.stringContaining('VM 901 is not the PBS'),
      });
      const { code } = await pbsCtl(['patch', '--host', 'pbs01', '--config', lab.configPath]);
      expect({ code, changed: changes(lab), tags: lab.cluster.guests.get(901)?.config.tags }).toEqual({
        code: 75,
        changed: [],
        tags: 'pbs',
      });
      const doctor = await pbsCtl(['doctor', '--config', lab.configPath]);
      expect({ code: doctor.code, names: doctor.stdout.includes('host.identity') }).toEqual({
        code: 1,
        names: true,
      });
    }));

  it.concurrent('a guest that is replaced while the run waits for its index is not upgraded', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.record.onEntry((entry) => {
        if ('path' in entry && entry.method === 'POST' && entry.path.endsWith('/apt/update')) {
          const clone = lab.hosts.get('pbs02')?.machine;
          const guest = lab.cluster.guests.get(900);
          if (guest && clone) lab.cluster.guests.set(900, { ...guest, machine: clone });
        }
      });
      const { code, stdout } = await pbsCtl(['patch', '--host', 'pbs01', '--config', lab.configPath]);
      expect({ code, changed: changes(lab) }).toEqual({ code: 75, changed: [] });
      expect(stdout).toContain('is not the PBS');
    }));

  it.concurrent('a renewed certificate that is not served yet blocks, with the reload as its fix', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      await lab.hosts.get('pbs01')?.renewCertificate();
      const { code, status, summary } = await about(lab);
      expect({ code, status }).toEqual({ code: 75, status: 'block' });
      expect(summary).toContain('still serves the certificate');
      expect(summary).toContain('pbs01-tank');
    }));

  it.concurrent('a container as guest is one finding', ({ expect }) =>
    withLab({}, async (lab) => {
      const guest = lab.cluster.guests.get(900);
      if (guest) lab.cluster.guests.set(900, { ...guest, type: 'lxc' });
      const { code, blocks, skips } = await about(lab);
      expect({ code, blocks }).toEqual({ code: 75, blocks: ['guest.vm'] });
      expect(skips).toEqual(['guest.agent', 'guest.packages', 'host.identity', 'policy.window']);
      const { stdout } = await pbsCtl(['doctor', '--host', 'pbs01', '--config', lab.configPath]);
      expect(stdout).toContain('"via": "service"');
      expect(stdout.match(/^ *block/gm)).toHaveLength(1);
    }));
});

describe('a PBS on a PVE node', () => {
  const order = { repairDpkg: false, cleanup: true, protectedPackages: ['proxmox-backup-server'] };
  const unit = 'pbs-ctl-upgrade.service';
  const onNode = (machine: object): Partial<Scenario> =>
    ({
      expected: 'postponed',
      machine: { agent: { installed: false }, ...machine },
      host: { guest: undefined, serves: ['main'], upgrade: { via: 'service', unit } },
      arrange: async (lab) => {
        const host = lab.hosts.get('pbs01');
        host?.access.grant(`/system/services/${unit}`, ['Sys.Modify'], false);
        for (const { path, text } of upgradeFiles(unit, order)) await host?.machine.writeFile(path, text);
      },
    }) as Partial<Scenario>;
  const withCarrier = (lab: Lab) =>
    edit(lab, ({ clusters }) => {
      clusters.main.lock = { vmid: 901 };
    });

  it.concurrent('is refused where its packages are among the updates', ({ expect }) =>
    withScenario(
      onNode({ moreChanges: [{ name: 'pve-manager', from: '9.2.10', to: '9.2.11' }] }),
      async (lab) => {
        withCarrier(lab);
        const { code, blocks, summary } = await about(lab);
        expect({ code, blocks }).toEqual({ code: 75, blocks: ['host.identity'] });
        expect(summary).toContain('is a PVE node (pve-manager installed)');
      },
    ));

  it.concurrent('is refused by the script where they are not, before it changes anything', ({ expect }) =>
    withScenario(onNode({}), async (lab) => {
      withCarrier(lab);
      const root = lab.hosts.get('pbs01')?.machine.root ?? '';
      appendFileSync(join(root, '.machine/packages'), 'ii \tpve-manager\t9.2.11\t\n');
      const { code, document } = await pbsCtlJson<{ outcome: string; error: { code: string } }>([
        ...['patch', '--host', 'pbs01', '--config', lab.configPath],
      ]);
      expect({ code, outcome: document.outcome, error: document.error.code, changed: changes(lab) }).toEqual({
        code: 75,
        outcome: 'postponed',
        error: 'upgrade.pve-node',
        changed: [],
      });
      expect(carrierTags(lab)).toBe('pbs');
      expect(lab.hosts.get('pbs01')?.datastores.map(({ maintenance }) => maintenance)).toEqual([null, null]);
    }));
});
