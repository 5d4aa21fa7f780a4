import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { InjectedFault } from '../../src/lab/https.js';
import type { Lab } from '../../src/lab/lab.js';
import { PveError } from '../../src/lab/pve/server.js';
import { SCENARIOS } from '../../src/lab/scenario.js';
import type { Scenario } from '../../src/lab/scenarios/scenario.js';
import { start } from '../support/command.js';
import { pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, fences, until, withScenario } from '../support/lab.js';

const args = ({ configPath }: Lab) => ['patch', '--host', 'pbs01', '--config', configPath];
const patch = async (lab: Lab) => (await pbsCtlJson<RunDocument>(args(lab))).document;
const kill = async (lab: Lab, when: () => boolean) => {
  const running = start(args(lab));
  await until('the moment to kill it', when);
  running.kill('SIGKILL');
  await running.ended;
};

const SERVICE = SCENARIOS.find(({ name }) => name === 'upgrade-by-service');
const UPGRADE_SCRIPT = '/usr/local/sbin/upgrade-this-host';
/** A scenario on one of the two upgrade methods. */
function on(method: 'agent' | 'service', spec: Partial<Scenario> = {}): Partial<Scenario> {
  if (method === 'agent') return spec;
  if (!SERVICE) throw new Error('the lab has a scenario for the service method');
  return {
    ...spec,
    ...(SERVICE.host ? { host: SERVICE.host } : {}),
    machine: { ...SERVICE.machine, ...spec.machine },
    arrange: async (lab) => {
      await SERVICE.arrange?.(lab);
      await spec.arrange?.(lab);
    },
  };
}
/** Short waits, and no boot where it is about the upgrade alone. */
const QUICK = { pollInterval: '100ms', stableFor: '200ms', reboot: 'never' } as const;
const quick = (machine: Scenario['machine'] = {}): Partial<Scenario> => ({ policy: QUICK, machine });
const BOOTS = { pollInterval: '100ms', stableFor: '200ms' } as const;
const carrier = (lab: Lab) => {
  const guest = lab.cluster.guests.get(900);
  if (!guest) throw new Error('the lab has guest 900');
  return guest;
};
const METHODS = ['agent', 'service'] as const;
const begun = (lab: Lab) => eventsOf(lab, 'upgrade-started').length > 0;
const left = (lab: Lab) => ({ fences: fences(lab), tags: carrierTags(lab) });
const NOTHING = { fences: [], tags: 'pbs' };

const refused = (status: number, reason: string): InjectedFault => ({
  kind: 'answered-instead',
  reply: { status, reason, body: '' },
});

/** The start of the upgrade, among all that goes through the agent. */
const isStart = ({ command, params }: { command: string; params: Readonly<Record<string, unknown>> }) =>
  command === 'exec' && JSON.stringify(params.command).includes('systemd-run');
const GOT_TIMEOUT = new PveError("VM 900 qga command 'guest-exec' failed - got timeout");

describe('a start that may have arrived is followed', () => {
  it.concurrent.for([
    ['a node that cannot be reached', new PveError('No route to host', 595)],
    ['an agent that is busy', new PveError('QEMU guest agent is not running')],
    ['an agent that does not answer in time', GOT_TIMEOUT],
  ] as const)('where %s is all that is seen of it, and the unit begins seconds later', ([, trouble], {
    expect,
  }) =>
    withScenario(quick({ upgrade: { startsAfterSeconds: 30, seconds: 8 } }), async (lab) => {
      let started = false;
      let struck = 0;
      carrier(lab).agentTrouble = (asked) => {
        if (isStart(asked)) started = true;
        else if (started && asked.command === 'exec-status' && struck < 2) {
          struck += 1;
          return { instead: trouble };
        }
        return null;
      };
      const { outcome, error } = await patch(lab);
      expect({ outcome, error, struck }).toEqual({ outcome: 'patched', error: null, struck: 2 });
      expect(eventsOf(lab, 'upgrade-started')).toHaveLength(1);
      expect(left(lab)).toEqual(NOTHING);
    }));

  it.concurrent('where the request is answered "got timeout" and carried out', ({ expect }) =>
    withScenario(quick(), async (lab) => {
      carrier(lab).agentTrouble = (asked) => (isStart(asked) ? { afterwards: GOT_TIMEOUT } : null);
      const { outcome } = await patch(lab);
      expect({ outcome, started: eventsOf(lab, 'upgrade-started').length }).toEqual({
        outcome: 'patched',
        started: 1,
      });
      expect(left(lab)).toEqual(NOTHING);
    }));

  it.concurrent('and undone where the request is answered "got timeout" and never arrives', ({ expect }) =>
    withScenario(quick(), async (lab) => {
      carrier(lab).agentTrouble = (asked) => (isStart(asked) ? { instead: GOT_TIMEOUT } : null);
      const { outcome, error } = await patch(lab);
      expect({ outcome, code: error?.code }).toEqual({
        outcome: 'postponed',
        code: 'upgrade.nothing-changed',
      });
      expect(eventsOf(lab, 'upgrade-started')).toEqual([]);
      expect(left(lab)).toEqual(NOTHING);
    }));

  it.concurrent('where all endpoints of PVE refuse for a while in the upgrade', ({ expect }) =>
    withScenario(quick({ upgrade: { seconds: 80 } }), async (lab) => {
      let done = false;
      lab.record.onEntry((entry) => {
        if (done || !('kind' in entry) || entry.kind !== 'upgrade-started') return;
        done = true;
        for (const server of lab.cluster.servers) {
          server.goDark('refuse');
          setTimeout(() => void server.comeBack(), 1200);
        }
      });
      const { outcome, error } = await patch(lab);
      expect({ outcome, error }).toEqual({ outcome: 'patched', error: null });
      expect(eventsOf(lab, 'upgrade-started')).toHaveLength(1);
    }));

  it.concurrent('by a run that is resumed while systemd re-executes: it waits as an uninterrupted one does', ({
    expect,
  }) =>
    withScenario(
      {
        machine: {
          changes: [{ name: 'systemd', from: '257.9-1~deb13u1', to: '257.10-1~deb13u1' }],
          upgrade: { seconds: 20, systemdSilentSeconds: 80 },
        },
        policy: QUICK,
      },
      async (lab) => {
        await kill(lab, () => eventsOf(lab, 'systemd-reexecuting').length > 0);
        const { outcome, resumed, error } = await patch(lab);
        expect({ outcome, resumed, error }).toEqual({ outcome: 'patched', resumed: true, error: null });
        expect(eventsOf(lab, 'upgrade-started')).toHaveLength(1);
      },
    ));

  it.concurrent('by the journal of the unit on the service method, whatever the task of the start says', ({
    expect,
  }) =>
    withScenario(
      on('service', {
        machine: {
          held: [],
          changes: [
            { name: 'systemd', from: '257.9-1~deb13u1', to: '257.10-1~deb13u1' },
            { name: 'postfix', from: '3.10.5-1', to: '3.10.6-1' },
          ],
          upgrade: { seconds: 30 },
        },
        policy: QUICK,
      }),
      async (lab) => {
        const { outcome, error, packages } = await patch(lab);
        const tasks = lab.hosts.get('pbs01')?.tasks.filter(({ type }) => type === 'srvstart') ?? [];
        expect(tasks.map(({ status }) => status)).toEqual(['systemctl start failed with exit status: 1']);
        expect({ outcome, error }).toEqual({ outcome: 'patched', error: null });
        expect(packages.upgraded.map(({ name }) => name).sort()).toEqual(['postfix', 'systemd']);
      },
    ));

  it.concurrent('on the service method by a resumed run, which reports every package and holds back none', ({
    expect,
  }) =>
    withScenario(on('service', { ...quick({ held: [], upgrade: { seconds: 60 } }) }), async (lab) => {
      await kill(lab, () => begun(lab));
      const { outcome, resumed, packages } = await patch(lab);
      expect({ outcome, resumed, held: packages.held }).toEqual({
        outcome: 'patched',
        resumed: true,
        held: [],
      });
      expect(packages.upgraded).toHaveLength(8);
      expect(packages.installed).toHaveLength(1);
      expect(eventsOf(lab, 'upgrade-started')).toHaveLength(1);
    }));
});

describe('what provably changed nothing is undone', () => {
  it.concurrent.for(
    METHODS,
  )('where a download fails with 404 (%s method): postponed, with the line that says why', (method, {
    expect,
  }) =>
    withScenario(
      on(
        method,
        quick({ upgrade: { fails: { package: 'openssl', how: 'download' }, seconds: 8 }, held: [] }),
      ),
      async (lab) => {
        const { outcome, leftBehind, evidence, reboot } = await patch(lab);
        expect({ outcome, leftBehind, reboot }).toEqual({
          outcome: 'postponed',
          leftBehind: { fenced: [], locks: [] },
          reboot: null,
        });
        expect(evidence.join('\n')).toContain('404  Not Found');
        expect(left(lab)).toEqual(NOTHING);
      },
    ));

  it.concurrent('where it is seen by a run that is resumed', ({ expect }) =>
    withScenario(
      quick({ upgrade: { fails: { package: 'openssl', how: 'download' }, seconds: 80 } }),
      async (lab) => {
        await kill(lab, () => begun(lab));
        await until('the end of apt', () => eventsOf(lab, 'upgrade-finished').length > 0);
        const { outcome, resumed } = await patch(lab);
        expect({ outcome, resumed }).toEqual({ outcome: 'postponed', resumed: true });
        expect(left(lab)).toEqual(NOTHING);
      },
    ));

  it.concurrent('where the unit did nothing although there was something to upgrade: never "patched"', ({
    expect,
  }) =>
    withScenario(
      on('service', {
        ...quick({ held: [] }),
        arrange: ({ hosts }) =>
          hosts.get('pbs01')?.machine.writeFile(UPGRADE_SCRIPT, 'echo nothing is done here today\n'),
      }),
      async (lab) => {
        const { outcome, evidence, error } = await patch(lab);
        expect({ outcome, code: error?.code }).toEqual({
          outcome: 'postponed',
          code: 'upgrade.nothing-changed',
        });
        expect(evidence.join('\n')).toContain('nothing is done here today');
        expect(eventsOf(lab, 'reboot')).toEqual([]);
        expect(left(lab)).toEqual(NOTHING);
      },
    ));
});

describe('the VM of a host that is silent in its upgrade', () => {
  it.concurrent.for([
    'io-error',
    'paused',
  ] as const)('is said to be halted (%s), and not that the unit continues', (how, { expect }) =>
    withScenario(
      { policy: { ...QUICK, upgradeTimeout: '4s' }, machine: { upgrade: { seconds: 4000 } } },
      async (lab) => {
        let halted = false;
        lab.record.onEntry((entry) => {
          if (halted || !('kind' in entry) || entry.kind !== 'upgrade-started') return;
          halted = true;
          setTimeout(() => lab.hosts.get('pbs01')?.machine.halt(how), 200);
        });
        const { outcome, error, warnings, leftBehind } = await patch(lab);
        expect({ outcome, code: error?.code }).toEqual({ outcome: 'failed', code: 'upgrade.vm-halted' });
        expect(`${error?.message} ${error?.hint}`).not.toMatch(/unit|service .*continues|attach/);
        expect(warnings.join('\n')).toContain(`VM 900 is halted (${how})`);
        expect(leftBehind).toEqual({ fenced: ['tank', 'vault'], locks: ['main'] });
        // In the middle of the run, and once more with its report.
        expect(JSON.stringify(lab.slack.messages[0])).toContain(`VM 900 is halted (${how})`);
        expect(lab.slack.messages).toHaveLength(2);
      },
    ));

  it.concurrent('ends the wait where it is stopped: failed, fence and lock stay', ({ expect }) =>
    withScenario(quick({ upgrade: { seconds: 4000 } }), async (lab) => {
      let stopped = false;
      lab.record.onEntry((entry) => {
        if (stopped || !('kind' in entry) || entry.kind !== 'upgrade-started') return;
        stopped = true;
        setTimeout(() => lab.hosts.get('pbs01')?.machine.powerOff(), 200);
      });
      const { outcome, error, leftBehind } = await patch(lab);
      expect({ outcome, code: error?.code }).toEqual({ outcome: 'failed', code: 'upgrade.vm-stopped' });
      expect(leftBehind).toEqual({ fenced: ['tank', 'vault'], locks: ['main'] });
    }));
});

describe('a boot that is not ours', () => {
  const reboots = (lab: Pick<Lab, 'record' | 'hosts'>) => {
    let done = false;
    lab.record.onEntry((entry) => {
      if (done || !('kind' in entry) || entry.kind !== 'upgrade-finished') return;
      done = true;
      void lab.hosts.get('pbs01')?.machine.reboot();
    });
  };

  it.concurrent.for(
    METHODS,
  )('after the upgrade (%s method) counts as the reboot: none is requested, and it is verified', (method, {
    expect,
  }) =>
    withScenario(
      // Nothing among the packages needs a boot, so none can be owed, whenever the host booted.
      on(method, {
        machine: {
          held: [],
          changes: [{ name: 'postfix', from: '3.10.5-1', to: '3.10.6-1' }],
          upgrade: { seconds: 8 },
        },
        policy: BOOTS,
      }),
      async (lab) => {
        reboots(lab);
        const { outcome, reboot, error } = await patch(lab);
        expect({ outcome, error, count: reboot?.count }).toEqual({
          outcome: 'patched',
          error: null,
          count: 1,
        });
        const requested = lab.record.requests.filter(
          ({ method: verb, path }) => verb === 'POST' && path === '/nodes/localhost/status',
        );
        expect({ requested, boots: eventsOf(lab, 'reboot').length }).toEqual({ requested: [], boots: 1 });
        expect(left(lab)).toEqual(NOTHING);
      },
    ));

  it.concurrent('by which a disk is lost is unverified, and the fence stays', ({ expect }) =>
    withScenario(
      {
        machine: { boot: { losesMounts: ['/mnt/datastore/tank'] } },
        policy: { ...BOOTS, rebootTimeout: '12s' },
      },
      async (lab) => {
        reboots(lab);
        const { outcome, leftBehind } = await patch(lab);
        expect({ outcome, leftBehind }).toEqual({
          outcome: 'unverified',
          leftBehind: { fenced: ['tank', 'vault'], locks: ['main'] },
        });
        expect(eventsOf(lab, 'reboot')).toHaveLength(1);
      },
    ));

  it.concurrent('is seen by a run that is resumed, whatever the policy says', ({ expect }) =>
    withScenario({ policy: QUICK, machine: { upgrade: { seconds: 40 } } }, async (lab) => {
      await kill(lab, () => begun(lab));
      await until('the end of the upgrade', () => eventsOf(lab, 'upgrade-finished').length > 0);
      const host = lab.hosts.get('pbs01');
      const up = new Promise<void>((resolve) => host?.machine.on('up', resolve));
      host?.machine.reboot();
      await up;
      const { outcome, reboot, resumed } = await patch(lab);
      expect({ outcome, resumed, count: reboot?.count }).toEqual({
        outcome: 'patched',
        resumed: true,
        count: 1,
      });
      expect(left(lab)).toEqual(NOTHING);
    }));
});

describe('a lock', () => {
  it.concurrent('that cannot be written for a moment postpones, and --wait waits on', ({ expect }) =>
    withScenario(quick({ changes: [] }), async (lab) => {
      let locked = 1;
      lab.setWeather(({ method, path }) => {
        if (method !== 'PUT' || !path.endsWith('/qemu/900/config') || locked === 0) return null;
        locked -= 1;
        return refused(
          500,
          locked % 2 === 0
            ? 'VM is locked (backup)'
            : "can't lock file '/var/lock/qemu-server/lock-900.conf' - got timeout",
        );
      });
      const first = await pbsCtlJson<RunDocument>(args(lab));
      expect({ code: first.code, outcome: first.document.outcome }).toEqual({
        code: 75,
        outcome: 'postponed',
      });
      locked = 2;
      const second = await pbsCtlJson<RunDocument>([...args(lab), '--wait', '60s']);
      expect({ code: second.code, outcome: second.document.outcome }).toEqual({
        code: 0,
        outcome: 'patched',
      });
    }));

  it.concurrent('that a run could not release keeps its outcome, and the next run releases it, also expired', ({
    expect,
  }) =>
    withScenario({ machine: { changes: [] }, policy: QUICK }, async (lab) => {
      let lifted = false;
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'maintenance-cleared') lifted = true;
      });
      lab.setWeather(({ method, path }) =>
        lifted && method === 'PUT' && path.endsWith('/qemu/900/config')
          ? refused(403, 'Permission check failed (/vms/900, VM.Config.Options)')
          : null,
      );
      const first = await patch(lab);
      expect({ outcome: first.outcome, locks: first.leftBehind.locks }).toEqual({
        outcome: 'patched',
        locks: ['main'],
      });
      expect(first.warnings.join('\n')).not.toContain('by itself');
      lab.setWeather(() => null);
      const guest = lab.cluster.guests.get(900);
      if (guest) lab.cluster.storeTags(guest, ['pbs', `pbs-ctl-lock+pbs01+${first.runId}+1000`]);
      const second = await patch(lab);
      expect({ outcome: second.outcome, resumed: second.resumed }).toEqual({
        outcome: 'patched',
        resumed: false,
      });
      expect(left(lab)).toEqual(NOTHING);
    }));
});
