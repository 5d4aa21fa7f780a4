import { describe, expect, it } from 'vitest';
import { objection, question } from '../../src/recover/allow.js';
import type { ObservedHost } from '../../src/recover/observed.js';
import type { RecoverFlag } from '../../src/rules/steps.js';
import { DARK, inside, LOCK, RUN, WELL } from './observed.js';

describe('what a flag is refused for', () => {
  it.each`
    flag                  | seen                                                                                         | refused                                             | because
    ${'lift-fence'}       | ${{}}                                                                                        | ${null}                                             | ${'the host is well'}
    ${'lift-fence'}       | ${{ verification: null }}                                                                    | ${/it does not answer/}                             | ${'it is not known'}
    ${'release-lock'}     | ${{ verification: { ok: false, findings: [{ status: 'block', summary: 'tank is gone' }] } }} | ${/tank is gone/}                                   | ${'backups would go on'}
    ${'release-lock'}     | ${{ locks: [LOCK] }}                                                                         | ${/not from this machine, .* may still be at work/} | ${'no journal here knows the run'}
    ${'release-lock'}     | ${{ locks: [{ ...LOCK, expired: true }] }}                                                   | ${null}                                             | ${'a run at work would have renewed it'}
    ${'release-lock'}     | ${{ locks: [LOCK], runs: [RUN] }}                                                            | ${null}                                             | ${'the run is ours, and no process works on it'}
    ${'reset-vm'}         | ${inside({ upgrading: ['k3f9x2'] })}                                                         | ${/upgrade of run k3f9x2 still runs/}               | ${'dpkg would be cut off'}
    ${'restart-services'} | ${inside({ upgrading: ['k3f9x2'] })}                                                         | ${/upgrade of run k3f9x2 still runs/}               | ${'dpkg restarts them itself'}
    ${'start-vm'}         | ${{ verification: null }}                                                                    | ${null}                                             | ${'a VM that is off cannot pass'}
    ${'reset-vm'}         | ${{ ...DARK }}                                                                               | ${null}                                             | ${'that is what it is for'}
  `('--$flag: $because', ({ flag, seen, refused }) => {
    const why = objection(flag, { ...WELL, ...seen })?.message ?? null;
    if (refused) expect(why).toMatch(refused);
    else expect(why).toBeNull();
  });

  it('asks before a reset and before nothing else, and says when the host still answers', () => {
    const asked = (flag: RecoverFlag, seen: Partial<ObservedHost> = {}) =>
      question(flag, { ...WELL, ...seen });
    expect(asked('reset-vm')).toContain('It answers at the moment.');
    expect(asked('reset-vm', DARK)).toBe('Resetting VM 900 of pbs01 is like pulling the plug. Reset it?');
    for (const flag of ['start-vm', 'mount', 'restart-services', 'lift-fence', 'release-lock'] as const)
      expect(asked(flag)).toBeNull();
  });
});
