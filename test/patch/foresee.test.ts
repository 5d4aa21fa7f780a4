import { describe, expect, it } from 'vitest';
import { foreseen } from '../../src/patch/foresee.js';

const plan = { upgraded: [{ name: 'libssl3', from: '1', to: '2' }], installed: [], removed: [], held: [] };
const known = {
  clusters: ['main'],
  policy: { fence: 'read-only', reboot: 'always' },
  datastores: [
    { name: 'tank', maintenance: null },
    { name: 'old', maintenance: { type: 'offline', message: null } },
  ],
  plan,
} as const;

describe('what a run would do', () => {
  it('leaves alone a datastore whose mode somebody else has set', () => {
    const would = foreseen(known);
    expect(would).toContain('set tank read-only');
    expect(would).toContain('leave old offline, as somebody else has set it');
  });

  it('names no fence where the policy wants none', () => {
    const would = foreseen({ ...known, policy: { fence: 'none', reboot: 'always' } }).join('\n');
    expect(would).toContain('set no datastore read-only');
    expect(would).not.toContain('lift the fence');
  });

  it.each([
    ['always', 'reboot once'],
    ['after-upgrade', 'not reboot, since nothing would be upgraded'],
    ['when-required', 'reboot once if'],
    ['never', 'not reboot'],
  ] as const)('with the reboot mode "%s" and nothing to upgrade says "%s"', (reboot, expected) => {
    const nothing = { upgraded: [], installed: [], removed: [], held: [] };
    const would = foreseen({ ...known, plan: nothing, policy: { fence: 'read-only', reboot } });
    expect(would).toContainEqual(expect.stringContaining(expected));
    expect(would).toContain('upgrade nothing');
  });
});
