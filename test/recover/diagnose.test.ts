import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/document.js';
import { diagnose } from '../../src/recover/diagnose.js';
import { VERIFY_IDS } from '../../src/rules/accept.js';
import { broken, DARK, FENCED, fault, INSIDE, inside, LOCK, RESUMES, vm, WELL } from './observed.js';

const GONE = {
  missingMounts: ['/mnt/tank'],
  mounts: [{ target: '/', source: '/dev/mapper/pbs-root', fstype: 'ext4' }],
};
const FULL = { space: [{ target: '/', availableBytes: 1024 ** 2, totalBytes: 32e9 }] };

describe('what is wrong, and what a flag can do about it', () => {
  it.each`
    seen                                                                                                                              | problem                                                    | flags
    ${{}}                                                                                                                             | ${/^Nothing is wrong with pbs01\.$/}                       | ${''}
    ${{ ...DARK, busy: { pid: 7, run: null, phase: null, longestMs: null } }}                                                         | ${/Another pbs-ctl \(process 7\)/}                         | ${''}
    ${inside({ upgrading: ['k3f9x2'], audit: 'half' })}                                                                               | ${/The upgrade of run k3f9x2 still runs/}                  | ${''}
    ${{ ...DARK, ...vm({ nodeOnline: false, status: 'unknown' }), vmError: fault('net.unreachable', 'no route') }}                    | ${/node pve1, .* is offline/}                              | ${''}
    ${{ ...DARK, vm: null, vmError: fault('net.unreachable', 'No endpoint answers') }}                                                | ${/PVE cannot say why: No endpoint answers/}               | ${''}
    ${{ ...DARK, ...vm({ status: 'stopped', qmpStatus: 'stopped' }) }}                                                                | ${/The VM of pbs01 \(900 on pve1\) is stopped/}            | ${'start-vm'}
    ${{ ...DARK, ...vm({ status: 'stopped', qmpStatus: 'stopped', lock: 'backup' }) }}                                                | ${/is stopped/}                                            | ${'start-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'io-error' }) }}                                                                                  | ${/the storage of its disks reported an error/}            | ${'reset-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'paused' }) }}                                                                                    | ${/its CPUs are not \(paused\)/}                           | ${'reset-vm'}
    ${{ ...DARK, ...vm({ qmpStatus: 'paused', lock: 'snapshot' }) }}                                                                  | ${/under a lock of PVE \(snapshot\)/}                      | ${''}
    ${DARK}                                                                                                                           | ${/neither its API nor its guest agent/}                   | ${'reset-vm'}
    ${{ ...DARK, ...vm({ lock: 'backup' }) }}                                                                                         | ${/neither its API nor its guest agent/}                   | ${''}
    ${{ ...DARK, vm: null, agent: 'not-asked', apiError: fault('net.unreachable', 'refused') }}                                       | ${/the config names no VM to ask: refused/}                | ${''}
    ${{ ...DARK, agent: 'refuses', agentError: fault('agent.frozen', 'frozen') }}                                                     | ${/since the guest agent is there/}                        | ${'reset-vm'}
    ${inside({ readOnlyMounts: ['/'], ...GONE })}                                                                                     | ${/\/ is mounted read-only/}                               | ${''}
    ${inside({ ...FULL, failedUnits: ['x.service'] })}                                                                                | ${/is full \(1 MiB left\)/}                                | ${'restart-services'}
    ${inside({ ...GONE })}                                                                                                            | ${/^pbs01: tank: \/mnt\/tank is in fstab and not mounted/} | ${'mount'}
    ${inside({ ...GONE, failedUnits: ['x.service'] })}                                                                                | ${/\/mnt\/tank is in fstab/}                               | ${'mount restart-services'}
    ${inside({ audit: 'The following packages are only half configured' })}                                                           | ${/dpkg --audit reports: The following/}                   | ${'repair-packages'}
    ${{ ...inside({ failedUnits: ['chrony.service'] }), verification: null }}                                                         | ${/^pbs01: failed: chrony\.service/}                       | ${'restart-services'}
    ${inside({ state: 'starting' })}                                                                                                  | ${/still starting/}                                        | ${''}
    ${{ ...DARK, agent: 'answers', inside: INSIDE }}                                                                                  | ${/The system of pbs01 is up, but its API does not/}       | ${'restart-services'}
    ${{ proxy: 'refuses', apiError: fault('api.unauthorized', 'bad token') }}                                                         | ${/up, but refuses: bad token/}                            | ${''}
    ${{ proxy: 'refuses', apiError: fault('net.untrusted', 'other certificate') }}                                                    | ${/up, but refuses: other certificate/}                    | ${''}
    ${{ daemon: 'silent' }}                                                                                                           | ${/its daemon .* does not/}                                | ${'restart-services'}
    ${{ servicesDown: ['chrony'] }}                                                                                                   | ${/Not running on pbs01: chrony/}                          | ${'restart-services'}
    ${{ apiError: fault('api.refused', 'strange') }}                                                                                  | ${/does not answer everything: strange/}                   | ${''}
    ${{ datastores: broken('unable to open') }}                                                                                       | ${/cannot use tank \(unable to open\)/}                    | ${''}
    ${{ datastores: broken('offline'), foreignModes: [{ datastore: 'tank', type: 'offline', message: 'new disks' }] }}                | ${/Another user has set tank to offline \("new disks"\)/}  | ${''}
    ${{ agent: 'silent', inside: null, agentError: fault('agent.not-running', 'silence') }}                                           | ${/its guest agent does not answer: silence/}              | ${''}
    ${{ agent: 'refuses', inside: null, agentError: fault('agent.blocked', 'exec is forbidden') }}                                    | ${/refuses: exec is forbidden/}                            | ${''}
    ${{ agent: 'silent', inside: null, agentError: fault('net.unreachable', 'Node pve1 does not answer') }}                           | ${/PVE cannot be asked about its VM: Node pve1 does/}      | ${''}
    ${{ unknownLocks: [{ cluster: 'main', error: fault('net.unreachable', 'no route') }] }}                                           | ${/whether its lock in cluster "main" is held is not/}     | ${''}
    ${{ verification: { ok: false, findings: [{ id: 'verify.datastores', status: 'block', summary: 'tank is gone', detail: {} }] } }} | ${/not as it was before .*: tank is gone/}                 | ${''}
    ${{ ...FENCED, locks: [LOCK] }}                                                                                                   | ${/run k3f9x2 has left its fence and its lock/}            | ${'lift-fence release-lock'}
    ${{ ...FENCED, ...RESUMES }}                                                                                                      | ${/run k3f9x2 has left its fence behind/}                  | ${''}
    ${{ ...FENCED, ...inside({ ...GONE }) }}                                                                                          | ${/\/mnt\/tank is in fstab/}                               | ${'mount lift-fence'}
  `('$problem', ({ seen, problem, flags }) => {
    const diagnosis = diagnose({ ...WELL, ...seen });
    expect(diagnosis.problem).toMatch(problem);
    expect(diagnosis.steps.flatMap(({ flag }) => flag ?? []).join(' ')).toBe(flags);
    // One sentence, and with anything wrong there is something to do.
    expect(diagnosis.problem).not.toContain('\n');
    if (!diagnosis.healthy) expect(diagnosis.steps).not.toHaveLength(0);
  });

  it('leaves fence and lock to the run, where it can be continued', () => {
    const { healthy, steps } = diagnose({ ...WELL, ...FENCED, locks: [LOCK], ...RESUMES });
    expect(healthy).toBe(true);
    expect(steps.map(({ command }) => command)).toEqual(['pbs-ctl patch --host pbs01']);
  });

  it('says what resuming means, and that it can be done', () => {
    const { steps } = diagnose({ ...WELL, ...FENCED, ...RESUMES });
    expect({ steps }).toMatchObject({
      steps: [{ text: 'Resume run k3f9x2: it verifies, lifts its fence and releases its lock.' }],
    });
  });

  it.each`
    kind           | seen                         | problem                                                 | flags
    ${'wait'}      | ${{ ...DARK, vm: WELL.vm }}  | ${/reboots for run k3f9x2: requested 8s ago\.$/}        | ${''}
    ${'wait'}      | ${{}}                        | ${/reboots for run k3f9x2/}                             | ${''}
    ${'wait'}      | ${vm({ status: 'stopped' })} | ${/The VM of pbs01 .* is stopped/}                      | ${'start-vm'}
    ${'swallowed'} | ${{}}                        | ${/has not rebooted for run k3f9x2: requested 8s ago/}  | ${'reset-vm'}
    ${'blocked'}   | ${{}}                        | ${/is well; run k3f9x2 cannot go on now: requested 8s/} | ${''}
  `('a run that is to $kind: "$problem"', ({ kind, seen, problem, flags }) => {
    const resumption = { kind, why: 'requested 8s ago', passes: false, means: 'it verifies' };
    const diagnosis = diagnose({ ...WELL, ...FENCED, ...seen, unfinishedRun: 'k3f9x2', resumption });
    expect(diagnosis.problem).toMatch(problem);
    expect(diagnosis.steps.flatMap(({ flag }) => flag ?? []).join(' ')).toBe(flags);
  });

  it('of a run at work: how long at most, and what may be done beside it', () => {
    const busy = { pid: 7, run: 'k3f9x2', phase: 'verify', longestMs: 300_000 } as const;
    const { problem, steps } = diagnose({ ...WELL, ...inside(GONE), busy });
    expect(problem).toBe('Another pbs-ctl (process 7) works on pbs01 right now: run k3f9x2, phase "verify".');
    expect(steps.map(({ text, flag }) => `${text} ${flag}`)).toEqual([
      'Mount /mnt/tank meanwhile: the run takes it up. mount',
      'Wait until it has ended, 5m 00s at most, then look again. null',
    ]);
    const upgrade = diagnose({ ...WELL, ...inside(GONE), busy: { ...busy, phase: 'upgrade' } });
    expect(upgrade.steps.flatMap(({ flag }) => flag ?? [])).toEqual([]);
  });

  // Case 36.
  it('of a host that does not come back: the kernel that ran before, where it is the first boot of a new one', () => {
    const kernel = { first: '6.17.4-1-pve', before: '6.17.2-1-pve' };
    const { steps } = diagnose({
      ...WELL,
      ...DARK,
      ...FENCED,
      unfinishedRun: 'k3f9x2',
      resumption: { kind: 'blocked', why: 'it has not come back', passes: false, means: 'it verifies' },
      changed: { kernel, packages: ['network: ifupdown2 1 -> 2; see /etc/network/interfaces'] },
    });
    const texts = steps.map(({ text, command }) => `${text} ${command}`).join('\n');
    expect(texts).toMatch(
      /first boot of kernel 6\.17\.4-1-pve; 6\.17\.2-1-pve ran before and is still installed/,
    );
    expect(texts).toContain('proxmox-boot-tool kernel pin 6.17.2-1-pve');
    expect(texts).toContain('The run has changed network: ifupdown2 1 -> 2');
    // A reset comes after what is known to help.
    expect(steps.findIndex(({ flag }) => flag === 'reset-vm')).toBeGreaterThan(
      steps.findIndex(({ command }) => command?.includes('kernel pin')),
    );
  });

  it.each(VERIFY_IDS.map((id) => [id]))('names steps for %s, and last the way to answer for it', (id) => {
    const finding = { id, status: 'block', summary: 'x', detail: {}, acceptable: ['x'], retryAfter: null };
    const verification = { ok: false, findings: [finding as Finding] };
    const resumption = {
      kind: 'blocked',
      why: 'not as before',
      passes: false,
      means: 'it verifies',
    } as const;
    const { steps } = diagnose({ ...WELL, ...FENCED, unfinishedRun: 'k3f9x2', resumption, verification });
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.at(-1)?.command).toBe(`pbs-ctl patch --host pbs01 --accept ${id}="REASON"`);
    const missing = { ...finding, acceptable: undefined } as Finding;
    const strict = diagnose({
      ...WELL,
      unfinishedRun: 'k3f9x2',
      verification: { ok: false, findings: [missing] },
    });
    expect(JSON.stringify(strict.steps)).not.toContain('--accept');
  });
});
