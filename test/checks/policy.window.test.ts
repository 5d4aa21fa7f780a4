import { describe, expect, it } from 'vitest';
import { policyWindow } from '../../src/checks/policy.window.js';
import { judge, NOW } from './judge.js';

describe('policy.window', () => {
  const up = (uptimeSeconds: number) => ({ uptimeSeconds });
  it('blocks for a host that booted lately, and knows until when', () =>
    expect(judge(policyWindow, up(600))).toMatchObject({ status: 'block', retryAt: NOW + 3000 }));
  it.each`
    round          | upgradeBegun | status     | because
    ${'preflight'} | ${false}     | ${'block'} | ${'a new run would end in a reboot'}
    ${'preflight'} | ${true}      | ${'skip'}  | ${'a run that was interrupted in its upgrade goes on'}
    ${'upgrade'}   | ${true}      | ${'skip'}  | ${'it is not the reboot yet'}
    ${'reboot'}    | ${true}      | ${'block'} | ${'the reboot itself is held back'}
    ${'reboot'}    | ${false}     | ${'block'} | ${'the reboot itself is held back'}
  `('is $status in round $round for such a host when $because', ({ round, upgradeBegun, status }) => {
    expect(judge(policyWindow, up(600), {}, { round, upgradeBegun }).status).toBe(status);
  });
  it('lets such a host pass where nothing would be rebooted', () =>
    expect(judge(policyWindow, up(600), { reboot: 'never' }).status).toBe('skip'));
  it('is skipped where the policy names neither window nor blackout', () =>
    expect(judge(policyWindow, up(86_400)).status).toBe('skip'));
  it('blocks on a day of a blackout, until it is over', () =>
    expect(
      judge(policyWindow, up(86_400), { blackouts: [{ from: '2025-11-24', to: '2025-11-25' }] }),
    ).toMatchObject({ status: 'block', retryAt: Date.parse('2025-11-26T00:00:00') / 1000 }));
});
