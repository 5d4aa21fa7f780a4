import { describe, expect, it } from 'vitest';
import { foreseen } from '../../src/rules/foresee.js';

const plan = {
  upgraded: [{ name: 'libssl3', from: '1', to: '2' }],
  installed: [],
  removed: [],
  held: [],
  keptBack: [],
};
const known = {
  clusters: ['main'],
  policy: { fence: 'read-only', reboot: 'always' },
  datastores: [
    { name: 'tank', maintenance: null },
    { name: 'old', maintenance: { type: 'offline', message: null } },
  ],
  plan,
  kernels: { running: '6.14.8-2-pve', installed: ['6.14.8-2-pve'], pinned: null, required: false },
  owesReboot: false,
  unfinished: null,
} as const;

describe('what a run would do', () => {
  it('leaves alone a datastore whose mode another user has set', () => {
    const would = foreseen(known);
    expect(would).toContain('set tank read-only');
    expect(would).toContain('leave old offline, as another user has set it');
  });

  it('names no fence where the policy wants none', () => {
    const would = foreseen({ ...known, policy: { fence: 'none', reboot: 'always' } }).join('\n');
    expect(would).toContain('set no datastore read-only');
    expect(would).not.toContain('lift the fence');
  });

  it.each([
    ['always', 'reboot once (policy'],
    ['after-upgrade', 'not reboot, as by then nothing was upgraded'],
    ['when-required', 'not reboot, as by then nothing requires a reboot'],
    ['never', 'not reboot (policy'],
  ] as const)('with the reboot mode "%s" and nothing to upgrade says "%s"', (reboot, expected) => {
    const nothing = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
    const would = foreseen({ ...known, plan: nothing, policy: { fence: 'read-only', reboot } });
    expect(would).toContainEqual(expect.stringContaining(expected));
    expect(would).toContain('upgrade nothing, unless the refresh finds something');
  });

  it('reboots when required for a kernel that the upgrade would install', () => {
    const kernel = { ...plan, installed: [{ name: 'proxmox-kernel-6.17.4-1-pve-signed', to: '6.17.4-1' }] };
    const would = foreseen({
      ...known,
      plan: kernel,
      policy: { fence: 'read-only', reboot: 'when-required' },
    });
    expect(would).toContainEqual(
      expect.stringMatching(/^reboot once, as by then kernel 6\.17\.4-1-pve is installed/),
    );
  });

  it('reboots for an earlier run that left it to the next', () => {
    const policy = { fence: 'read-only', reboot: 'when-required' } as const;
    expect(foreseen({ ...known, plan: { ...plan, upgraded: [] }, policy, owesReboot: true })).toContainEqual(
      expect.stringMatching(/^reboot once, as by then an earlier run/),
    );
  });

  describe('where a run stands unfinished', () => {
    const reboot = {
      count: 1,
      requestedAt: '2026-11-23T02:09:00.000Z',
      before: { bootTime: 1, bootId: null },
      downAt: null,
      upAt: null,
    };
    const fenced = [
      { name: 'tank', maintenance: { type: 'read-only', message: 'pbs-ctl run k3f9x2 since 2026' } },
    ] as const;

    it('goes on behind its upgrade, and reboots no second time', () => {
      const unfinished = { runId: 'k3f9x2', phase: 'verify', upgrade: 'done', reboot } as const;
      expect(foreseen({ ...known, datastores: fenced, unfinished })).toEqual([
        'continue run k3f9x2, which stopped in phase "verify"',
        'take the lock of main',
        'not reboot again',
        'verify, lift the fence, release the lock',
      ]);
    });

    it('begins again where its upgrade failed, under the fence that is its own', () => {
      const unfinished = { runId: 'k3f9x2', phase: 'upgrade', upgrade: 'failed', reboot: null } as const;
      const would = foreseen({ ...known, datastores: fenced, unfinished });
      expect(would[0]).toBe('continue run k3f9x2, which stopped in phase "upgrade"');
      expect(would).toContain('set tank read-only');
      expect(would.join('\n')).not.toContain('another user');
    });
  });
});
