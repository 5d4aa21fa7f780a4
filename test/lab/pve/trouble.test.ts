import { describe, it } from 'vitest';
import { PveError } from '../../../src/lab/pve/server.js';
import { asking, guestOf, told } from './asking.js';

const AGENT = '/nodes/pve1/qemu/900/agent';
const CONFIG = '/nodes/pve1/qemu/900/config';

describe('the agent of the lab through PVE', () => {
  it.concurrent('may carry a command out and answer that it did not hear of it, or refuse it once', ({
    expect,
  }) =>
    asking({}, async ({ lab, caller }) => {
      const guest = guestOf(lab);
      guest.agentTrouble = ({ command }) =>
        command === 'exec'
          ? { afterwards: new PveError("VM 900 qga command 'guest-exec' failed - got timeout") }
          : command === 'exec-status'
            ? { instead: new PveError('No route to host', 595) }
            : null;
      const exec = await caller.ask('POST', `${AGENT}/exec`, { command: '/bin/true' });
      expect(told(exec)).toBe("500 VM 900 qga command 'guest-exec' failed - got timeout");
      const journal = lab.hosts.get('pbs01')?.machine.unitLines('qemu-guest-agent.service') ?? [];
      expect(journal.join()).toContain('guest-exec called: "/bin/true"');
      expect(told(await caller.ask('GET', `${AGENT}/exec-status`, { pid: '1' }))).toBe('595');
      expect((await caller.ask('POST', `${AGENT}/ping`)).status).toBe(200);
    }));
});

describe('the config of a guest of the lab', () => {
  it.concurrent('cannot be written while another process holds its lock, without quorum, or under a config lock', ({
    expect,
  }) =>
    asking({}, async ({ lab, caller }) => {
      const guest = guestOf(lab);
      const write = async () => told(await caller.ask('PUT', CONFIG, { tags: 'pbs' }));
      guest.configBusy = true;
      expect(await write()).toBe("500 can't lock file '/var/lock/qemu-server/lock-900.conf' - got timeout");
      guest.configBusy = false;
      guest.config.lock = 'backup';
      expect(await write()).toBe('500 VM is locked (backup)');
      delete guest.config.lock;
      lab.cluster.quorate = false;
      expect(await write()).toMatch(
        /^500 unable to open file '\/etc\/pve\/nodes\/pve1\/qemu-server\/900\.conf\.tmp\.\d+' - Permission denied$/,
      );
      lab.cluster.access.grant('/', ['Sys.Modify']);
      expect(told(await caller.ask('PUT', '/cluster/options', { 'registered-tags': 'a' }))).toBe(
        "500 cfs-lock 'file-datacenter_cfg' error: no quorum!",
      );
    }));
});

describe('nodes of the lab', () => {
  it.concurrent('may belong to the cluster and be reached by none of the others', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      const node = lab.cluster.nodes.get('pve2');
      if (node) node.unreachable = true;
      expect(told(await caller.ask('GET', '/nodes/pve2/time'))).toBe('595');
      const { data } = await caller.ask('GET', '/cluster/status');
      expect((data as { name: string; online: number }[]).find(({ name }) => name === 'pve2')?.online).toBe(
        1,
      );
    }));

  it.concurrent('run different versions, and may wait for their reboot', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      const node = lab.cluster.nodes.get('pve3');
      if (!node) throw new Error('the lab has no pve3');
      node.packages = [
        { name: 'pve-manager', state: 'Installed', version: '8.4.14' },
        { name: 'proxmox-kernel-6.8.12-15-pve-signed', state: 'Installed', version: '6.8.12-15' },
      ];
      node.runningKernel = '6.8.12-11-pve';
      node.runningManager = '8.4.12';
      const versions = await Promise.all(
        ['pve1', 'pve3'].map(async (name) => (await caller.ask('GET', `/nodes/${name}/version`)).data),
      );
      expect(versions).toMatchObject([
        { version: '9.2.11', release: '9.2' },
        { version: '8.4.12', release: '8.4' },
      ]);
      const packages = (await caller.ask('GET', '/nodes/pve3/apt/versions')).data as Record<string, string>[];
      expect(packages).toMatchObject([{ OldVersion: '8.4.14', ManagerVersion: '8.4.12' }, {}]);
      expect((await caller.ask('GET', '/nodes/pve3/status')).data).toMatchObject({
        'current-kernel': { release: '6.8.12-11-pve' },
        pveversion: 'pve-manager/8.4.14/0123456789abcdef',
      });
    }));

  it.concurrent('say what QEMU says of a VM: halted, paused, stopped; and nothing of one that is gone', ({
    expect,
  }) =>
    asking({}, async ({ lab, caller }) => {
      const { machine } = lab.hosts.get('pbs01') ?? {};
      const seen = async () => {
        const { data } = await caller.ask('GET', '/nodes/pve1/qemu/900/status/current');
        const { status, qmpstatus } = data as Record<string, string>;
        return [status, qmpstatus];
      };
      expect(await seen()).toEqual(['running', 'running']);
      machine?.halt('io-error');
      expect(await seen()).toEqual(['running', 'io-error']);
      machine?.halt('paused');
      expect(await seen()).toEqual(['running', 'paused']);
      machine?.powerOff();
      expect(await seen()).toEqual(['stopped', 'stopped']);
      lab.cluster.guests.delete(900);
      expect(told(await caller.ask('GET', '/nodes/pve1/qemu/900/status/current'))).toBe(
        "500 Configuration file 'nodes/pve1/qemu-server/900.conf' does not exist",
      );
    }));
});
