import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/recover/diagnose.js';
import { broken, DARK, FENCED, fault, INSIDE, inside, LOCK, vm, WELL } from './observed.js';

const GONE = {
  missingMounts: ['/mnt/tank'],
  mounts: [{ target: '/', source: '/dev/mapper/pbs-root', fstype: 'ext4' }],
};
const FULL = { space: [{ target: '/', availableBytes: 1024 ** 2, totalBytes: 32e9 }] };

describe('what is wrong, and what a flag can do about it', () => {
  it.each`
    seen                                                                                                               | problem                                                    | flags
    ${{}}                                                                                                              | ${/^Nothing is wrong with pbs01\.$/}                       | ${''}
    ${{ ...DARK, busy: { pid: 7 } }}                                                                                   | ${/Another pbs-ctl \(process 7\)/}                         | ${''}
    ${inside({ upgrading: ['k3f9x2'], audit: 'half' })}                                                                | ${/The upgrade of run k3f9x2 still runs/}                  | ${''}
    ${{ ...DARK, ...vm({ nodeOnline: false, status: 'unknown' }), vmError: fault('net.unreachable', 'no route') }}     | ${/node pve1, .* is offline/}                              | ${''}
    ${{ ...DARK, vm: null, vmError: fault('net.unreachable', 'No endpoint answers') }}                                 | ${/PVE cannot say why: No endpoint answers/}               | ${''}
    ${{ ...DARK, ...vm({ status: 'stopped', qmpStatus: 'stopped' }) }}                                                 | ${/The VM of pbs01 \(900 on pve1\) is stopped/}            | ${'start-vm'}
    ${{ ...DARK, ...vm({ status: 'stopped', qmpStatus: 'stopped', lock: 'backup' }) }}                                 | ${/is stopped/}                                            | ${'start-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'io-error' }) }}                                                                   | ${/the storage of its disks reported an error/}            | ${'reset-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'paused' }) }}                                                                     | ${/its CPUs are not \(paused\)/}                           | ${'reset-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'paused', lock: 'snapshot' }) }}                                                   | ${/under a lock of PVE \(snapshot\)/}                      | ${''}
    ${DARK}                                                                                                            | ${/neither its API nor its guest agent/}                   | ${'reset-vm'}
    ${{ ...DARK, ...vm({ lock: 'backup' }) }}                                                                          | ${/neither its API nor its guest agent/}                   | ${''}
    ${{ ...DARK, vm: null, agent: 'not-asked', apiError: fault('net.unreachable', 'refused') }}                        | ${/the config names no VM to ask: refused/}                | ${''}
    ${{ ...DARK, agent: 'refuses', agentError: fault('agent.frozen', 'frozen') }}                                      | ${/since the guest agent is there/}                        | ${'reset-vm'}
    ${inside({ readOnlyMounts: ['/'], ...GONE })}                                                                      | ${/\/ is mounted read-only/}                               | ${''}
    ${inside({ ...FULL, failedUnits: ['x.service'] })}                                                                 | ${/is full \(1 MiB left\)/}                                | ${'restart-services'}
    ${inside({ ...GONE })}                                                                                             | ${/^pbs01: tank: \/mnt\/tank is in fstab and not mounted/} | ${'mount'}
    ${inside({ ...GONE, failedUnits: ['x.service'] })}                                                                 | ${/\/mnt\/tank is in fstab/}                               | ${'mount restart-services'}
    ${inside({ audit: 'The following packages are only half configured' })}                                            | ${/dpkg --audit reports: The following/}                   | ${''}
    ${{ ...inside({ failedUnits: ['chrony.service'] }), verification: null }}                                          | ${/^pbs01: failed: chrony\.service/}                       | ${'restart-services'}
    ${inside({ state: 'starting' })}                                                                                   | ${/still starting/}                                        | ${''}
    ${{ ...DARK, agent: 'answers', inside: INSIDE }}                                                                   | ${/The system of pbs01 is up, but its API does not/}       | ${'restart-services'}
    ${{ proxy: 'refuses', apiError: fault('api.unauthorized', 'bad token') }}                                          | ${/up, but refuses: bad token/}                            | ${''}
    ${{ proxy: 'refuses', apiError: fault('net.untrusted', 'other certificate') }}                                     | ${/up, but refuses: other certificate/}                    | ${''}
    ${{ daemon: 'silent' }}                                                                                            | ${/its daemon .* does not/}                                | ${'restart-services'}
    ${{ servicesDown: ['chrony'] }}                                                                                    | ${/Not running on pbs01: chrony/}                          | ${'restart-services'}
    ${{ apiError: fault('api.refused', 'strange') }}                                                                   | ${/does not answer everything: strange/}                   | ${''}
    ${{ datastores: broken('unable to open') }}                                                                        | ${/cannot use tank \(unable to open\)/}                    | ${''}
    ${{ datastores: broken('offline'), foreignModes: [{ datastore: 'tank', type: 'offline', message: 'new disks' }] }} | ${/Another user has set tank to offline \("new disks"\)/}  | ${''}
    ${{ agent: 'silent', inside: null, agentError: fault('agent.not-running', 'silence') }}                            | ${/its guest agent does not answer: silence/}              | ${''}
    ${{ agent: 'refuses', inside: null, agentError: fault('agent.blocked', 'exec is forbidden') }}                     | ${/refuses: exec is forbidden/}                            | ${''}
    ${{ agent: 'silent', inside: null, agentError: fault('net.unreachable', 'Node pve1 does not answer') }}            | ${/PVE cannot be asked about its VM: Node pve1 does/}      | ${''}
    ${{ unknownLocks: [{ cluster: 'main', error: fault('net.unreachable', 'no route') }] }}                            | ${/whether its lock in cluster "main" is held is not/}     | ${''}
    ${{ verification: { ok: false, findings: [{ status: 'block', summary: 'tank is gone' }] } }}                       | ${/not as it was before .*: tank is gone/}                 | ${''}
    ${{ ...FENCED, locks: [LOCK] }}                                                                                    | ${/run k3f9x2 has left its fence and its lock/}            | ${'lift-fence release-lock'}
    ${{ ...FENCED, unfinishedRun: 'k3f9x2' }}                                                                          | ${/run k3f9x2 has left its fence behind/}                  | ${''}
    ${{ ...FENCED, ...inside({ ...GONE }) }}                                                                           | ${/\/mnt\/tank is in fstab/}                               | ${'mount lift-fence'}
  `('$problem', ({ seen, problem, flags }) => {
    const diagnosis = diagnose({ ...WELL, ...seen });
    expect(diagnosis.problem).toMatch(problem);
    expect(diagnosis.steps.flatMap(({ flag }) => flag ?? []).join(' ')).toBe(flags);
    // One sentence, and with anything wrong there is something to do.
    expect(diagnosis.problem).not.toContain('\n');
    if (!diagnosis.healthy) expect(diagnosis.steps).not.toHaveLength(0);
  });

  it('leaves fence and lock to the run, where it can be continued', () => {
    const { healthy, steps } = diagnose({ ...WELL, ...FENCED, locks: [LOCK], unfinishedRun: 'k3f9x2' });
    expect(healthy).toBe(true);
    expect(steps.map(({ command }) => command)).toEqual(['pbs-ctl patch --host pbs01']);
  });
});
