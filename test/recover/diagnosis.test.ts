import { describe, expect, it } from 'vitest';
import type { Symptoms } from '../../src/guest/symptoms.js';
import { objection, question } from '../../src/recover/allow.js';
import { diagnose } from '../../src/recover/diagnosis.js';
import { consoleUrl } from '../../src/recover/look-vm.js';
import type { Sight, VmSight } from '../../src/recover/sight.js';
import type { RecoverFlag } from '../../src/recover/step.js';

const VM: VmSight = {
  vmid: 900,
  cluster: 'main',
  node: 'pve1',
  nodeOnline: true,
  status: 'running',
  qmpStatus: 'running',
  lock: null,
  consoleUrl: 'https://pve1:8006/?console=kvm&novnc=1&vmid=900&node=pve1&resize=off',
};
const INSIDE: Symptoms = {
  kernel: '6.14.8-2-pve',
  uptimeSeconds: 3600,
  state: 'running',
  failedUnits: [],
  missingMounts: [],
  readOnlyMounts: [],
  audit: '',
  rootAvailableBytes: 20e9,
  upgrading: [],
  journal: [],
};
const WELL: Sight = {
  host: 'pbs01',
  busy: null,
  vm: VM,
  vmError: null,
  agent: 'answers',
  agentError: null,
  inside: INSIDE,
  proxy: 'answers',
  daemon: 'answers',
  apiError: null,
  servicesDown: [],
  datastores: [{ name: 'tank', state: 'ok', total: 1, used: 0, available: 1 }],
  fences: [],
  foreignModes: [],
  locks: [],
  foreignLocks: [],
  runs: [],
  verification: { ok: true, findings: [] },
  unfinishedRun: null,
};

const vm = (differs: Partial<VmSight>): Partial<Sight> => ({ vm: { ...VM, ...differs } });
const inside = (differs: Partial<Symptoms>): Partial<Sight> => ({ inside: { ...INSIDE, ...differs } });
const DARK: Partial<Sight> = {
  agent: 'silent',
  inside: null,
  proxy: 'silent',
  daemon: 'unknown',
  datastores: [],
  verification: null,
};
const fault = (code: string, message: string) => ({ code, message, hint: 'Do this.' });
const FENCED = { fences: [{ datastore: 'tank', run: 'k3f9x2' }] };
const LOCK = {
  cluster: 'main',
  owner: 'pbs01',
  run: 'k3f9x2',
  until: '2026-11-23T04:00:00.000Z',
  expired: false,
};
const RUN = {
  run: 'k3f9x2',
  outcome: 'failed',
  phase: 'wait',
  startedAt: '2026-11-23T02:00:00.000Z',
  lastAt: '2026-11-23T02:10:00.000Z',
  leftBehind: { fenced: [], locks: ['main'] },
  error: null,
} as const;
const broken = (state: string) => [{ name: 'tank', state, total: null, used: null, available: null }];

describe('what is wrong, and what a flag can do about it', () => {
  it.each`
    seen                                                                                                               | problem                                               | flags
    ${{}}                                                                                                              | ${/^Nothing is wrong with pbs01\.$/}                  | ${''}
    ${{ ...DARK, busy: { pid: 7 } }}                                                                                   | ${/Another pbs-ctl \(process 7\)/}                    | ${''}
    ${inside({ upgrading: ['k3f9x2'], audit: 'half' })}                                                                | ${/The upgrade of run k3f9x2 still goes on/}          | ${''}
    ${{ ...DARK, ...vm({ nodeOnline: false, status: 'unknown' }), vmError: fault('net.unreachable', 'no route') }}     | ${/node pve1, .* is offline/}                         | ${''}
    ${{ ...DARK, vm: null, vmError: fault('net.unreachable', 'No endpoint answers') }}                                 | ${/PVE cannot tell why: No endpoint answers/}         | ${''}
    ${{ ...DARK, ...vm({ status: 'stopped', qmpStatus: 'stopped' }) }}                                                 | ${/The VM of pbs01 \(900 on pve1\) is stopped/}       | ${'start-vm'}
    ${{ ...DARK, ...vm({ status: 'stopped', qmpStatus: 'stopped', lock: 'backup' }) }}                                 | ${/is stopped/}                                       | ${'start-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'io-error' }) }}                                                                   | ${/error of the storage under its disks/}             | ${'reset-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'paused' }) }}                                                                     | ${/its machine is paused/}                            | ${'reset-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'paused', lock: 'snapshot' }) }}                                                   | ${/under a lock of PVE \(snapshot\)/}                 | ${''}
    ${DARK}                                                                                                            | ${/neither its API nor its guest agent/}              | ${'reset-vm'}
    ${{ ...DARK, ...vm({ lock: 'backup' }) }}                                                                          | ${/neither its API nor its guest agent/}              | ${''}
    ${{ ...DARK, vm: null, agent: 'not-asked', apiError: fault('net.unreachable', 'refused') }}                        | ${/the config names no VM to ask: refused/}           | ${''}
    ${{ ...DARK, agent: 'refuses', agentError: fault('agent.frozen', 'frozen') }}                                      | ${/since the guest agent is there/}                   | ${'reset-vm'}
    ${inside({ readOnlyMounts: ['/'], missingMounts: ['/mnt/tank'] })}                                                 | ${/has \/ mounted read-only/}                         | ${''}
    ${inside({ rootAvailableBytes: 1024 ** 2, failedUnits: ['x.service'] })}                                           | ${/is full \(1 MiB left\)/}                           | ${'restart-services'}
    ${inside({ missingMounts: ['/mnt/tank'] })}                                                                        | ${/misses \/mnt\/tank, which its fstab names/}        | ${'mount'}
    ${inside({ missingMounts: ['/mnt/tank'], failedUnits: ['x.service'] })}                                            | ${/misses \/mnt\/tank/}                               | ${'mount restart-services'}
    ${inside({ audit: 'The following packages are only half configured' })}                                            | ${/half installed: The following/}                    | ${''}
    ${inside({ failedUnits: ['chrony.service'] })}                                                                     | ${/Failed on pbs01: chrony\.service/}                 | ${'restart-services'}
    ${inside({ state: 'starting' })}                                                                                   | ${/still starting/}                                   | ${''}
    ${{ ...DARK, agent: 'answers', inside: INSIDE }}                                                                   | ${/The system of pbs01 runs, its API does not/}       | ${'restart-services'}
    ${{ proxy: 'refuses', apiError: fault('api.unauthorized', 'bad token') }}                                          | ${/cannot be asked: bad token/}                       | ${''}
    ${{ proxy: 'refuses', apiError: fault('net.untrusted', 'other certificate') }}                                     | ${/cannot be asked: other certificate/}               | ${''}
    ${{ daemon: 'silent' }}                                                                                            | ${/the daemon behind it does not/}                    | ${'restart-services'}
    ${{ servicesDown: ['chrony'] }}                                                                                    | ${/Not running on pbs01: chrony/}                     | ${'restart-services'}
    ${{ apiError: fault('api.refused', 'strange') }}                                                                   | ${/does not answer everything: strange/}              | ${''}
    ${{ datastores: broken('unable to open') }}                                                                        | ${/cannot use tank \(unable to open\)/}               | ${''}
    ${{ datastores: broken('offline'), foreignModes: [{ datastore: 'tank', type: 'offline', message: 'new disks' }] }} | ${/Somebody has set tank to offline \("new disks"\)/} | ${''}
    ${{ agent: 'silent', inside: null, agentError: fault('agent.not-running', 'silence') }}                            | ${/its guest agent does not answer: silence/}         | ${''}
    ${{ agent: 'refuses', inside: null, agentError: fault('agent.blocked', 'exec is forbidden') }}                     | ${/refuses: exec is forbidden/}                       | ${''}
    ${{ verification: { ok: false, findings: [{ status: 'block', summary: 'tank is gone' }] } }}                       | ${/not as it was before .*: tank is gone/}            | ${''}
    ${{ ...FENCED, locks: [LOCK] }}                                                                                    | ${/run k3f9x2 has left its fence and its lock/}       | ${'lift-fence release-lock'}
    ${{ ...FENCED, unfinishedRun: 'k3f9x2' }}                                                                          | ${/run k3f9x2 has left its fence behind/}             | ${''}
    ${{ ...FENCED, ...inside({ missingMounts: ['/mnt/tank'] }) }}                                                      | ${/misses \/mnt\/tank/}                               | ${'mount lift-fence'}
  `('$problem', ({ seen, problem, flags }) => {
    const diagnosis = diagnose({ ...WELL, ...seen });
    expect(diagnosis.problem).toMatch(problem);
    expect(diagnosis.steps.flatMap(({ flag }) => flag ?? []).join(' ')).toBe(flags);
    // One sentence, and with anything wrong there is something to do.
    expect(diagnosis.problem).not.toContain('\n');
    if (!diagnosis.healthy) expect(diagnosis.steps).not.toHaveLength(0);
  });

  it('leaves fence and lock to the run, where it can be gone on with', () => {
    const { healthy, steps } = diagnose({ ...WELL, ...FENCED, locks: [LOCK], unfinishedRun: 'k3f9x2' });
    expect(healthy).toBe(true);
    expect(steps.map(({ command }) => command)).toEqual(['pbs-ctl patch --host pbs01']);
  });
});

describe('what a flag is refused for', () => {
  it.each`
    flag                  | seen                                                                                         | refused                                  | because
    ${'lift-fence'}       | ${{}}                                                                                        | ${null}                                  | ${'the host is well'}
    ${'lift-fence'}       | ${{ verification: null }}                                                                    | ${/it cannot be asked/}                  | ${'nobody knows'}
    ${'release-lock'}     | ${{ verification: { ok: false, findings: [{ status: 'block', summary: 'tank is gone' }] } }} | ${/tank is gone/}                        | ${'backups would go on'}
    ${'release-lock'}     | ${{ locks: [LOCK] }}                                                                         | ${/may be at work on another machine/}   | ${'no journal here knows the run'}
    ${'release-lock'}     | ${{ locks: [{ ...LOCK, expired: true }] }}                                                   | ${null}                                  | ${'a run at work would have renewed it'}
    ${'release-lock'}     | ${{ locks: [LOCK], runs: [RUN] }}                                                            | ${null}                                  | ${'the run is ours, and no process works on it'}
    ${'reset-vm'}         | ${inside({ upgrading: ['k3f9x2'] })}                                                         | ${/upgrade of run k3f9x2 still goes on/} | ${'dpkg would be cut off'}
    ${'restart-services'} | ${inside({ upgrading: ['k3f9x2'] })}                                                         | ${/upgrade of run k3f9x2 still goes on/} | ${'dpkg restarts them itself'}
    ${'start-vm'}         | ${{ verification: null }}                                                                    | ${null}                                  | ${'a VM that is off cannot pass'}
    ${'reset-vm'}         | ${{ ...DARK }}                                                                               | ${null}                                  | ${'that is what it is for'}
  `('--$flag: $because', ({ flag, seen, refused }) => {
    const why = objection(flag, { ...WELL, ...seen })?.message ?? null;
    if (refused) expect(why).toMatch(refused);
    else expect(why).toBeNull();
  });

  it('asks before a reset and before nothing else, and says when the host still answers', () => {
    const asked = (flag: RecoverFlag, seen: Partial<Sight> = {}) => question(flag, { ...WELL, ...seen });
    expect(asked('reset-vm')).toContain('It answers at the moment!');
    expect(asked('reset-vm', DARK)).toBe('Resetting VM 900 of pbs01 is like pulling the plug. Do it?');
    for (const flag of ['start-vm', 'mount', 'restart-services', 'lift-fence', 'release-lock'] as const)
      expect(asked(flag)).toBeNull();
  });
});

describe('the address of the console', () => {
  it.each`
    name          | display      | query
    ${'pbs01'}    | ${null}      | ${'console=kvm&novnc=1&vmid=900&vmname=pbs01&node=pve1&resize=off'}
    ${'pbs 01&x'} | ${'std'}     | ${'console=kvm&novnc=1&vmid=900&vmname=pbs%2001%26x&node=pve1&resize=off'}
    ${null}       | ${'serial0'} | ${'console=kvm&xtermjs=1&vmid=900&node=pve1&resize=off'}
  `('of VM "$name" with display $display', ({ name, display, query }) => {
    const url = consoleUrl('https://pve1:8006', { vmid: 900, node: 'pve1', name, config: { display } });
    expect(url).toBe(`https://pve1:8006/?${query}`);
  });
});
