import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/fault.js';
import type { Finding } from '../../src/journal/document.js';
import { accepting } from '../../src/program-parts.js';
import { acceptanceOf, withAccepted } from '../../src/rules/accept.js';

const units = (...failed: string[]): Finding => ({
  id: 'verify.units',
  status: 'block',
  summary: `failed: ${failed.join(', ')}`,
  detail: {},
  acceptable: failed,
  retryAfter: null,
});
const missing: Finding = {
  id: 'verify.datastores',
  status: 'block',
  summary: 'tank is gone',
  detail: {},
  retryAfter: null,
};
const passed: Finding = { ...missing, id: 'verify.kernel', status: 'pass', summary: '6.17 runs' };

describe('what a person accepts', () => {
  it('is what the finding said when it was last reported', () => {
    expect(acceptanceOf([missing, units('a.service')], { id: 'verify.units', reason: 'ticket 1' })).toEqual({
      id: 'verify.units',
      reason: 'ticket 1',
      said: ['a.service'],
    });
  });

  it.each`
    id                     | why
    ${'verify.datastores'} | ${'verify.datastores cannot be accepted, since something is missing or not known: tank is gone'}
    ${'verify.kernel'}     | ${'verify.kernel is not accepted: nothing was found that needs it'}
    ${'verify.mounts'}     | ${'verify.mounts is not accepted: nothing was found that needs it'}
  `('is not accepted for $id: $why', ({ id, why }) => {
    expect(acceptanceOf([missing, passed], { id, reason: 'ticket 1' })).toEqual({ why });
  });

  it.each`
    now                                 | status     | because
    ${units('a.service')}               | ${'warn'}  | ${'it says the same'}
    ${units('b.service', 'a.service')}  | ${'block'} | ${'a second unit has failed since'}
    ${units('b.service')}               | ${'block'} | ${'another unit has failed'}
    ${missing}                          | ${'block'} | ${'it is another finding'}
    ${{ ...missing, id: units('').id }} | ${'block'} | ${'what is missing is accepted by no one'}
    ${passed}                           | ${'pass'}  | ${'there is nothing to accept'}
  `('counts as $status when $because', ({ now, status }) => {
    const accepted = [{ id: 'verify.units', reason: 'ticket 1', said: ['a.service'] }];
    const [judged] = withAccepted([now], accepted);
    expect(judged?.status).toBe(status);
    expect(judged?.summary).toBe(status === 'warn' ? 'failed: a.service; accepted: ticket 1' : now.summary);
  });
});

describe('--accept ID=REASON', () => {
  it('may be repeated, and a reason may hold an equals sign', () => {
    const first = accepting('verify.kernel=older, on purpose: a=b', undefined);
    expect(accepting('verify.units=ticket 1', first)).toEqual([
      { id: 'verify.kernel', reason: 'older, on purpose: a=b' },
      { id: 'verify.units', reason: 'ticket 1' },
    ]);
  });

  it.each([
    'verify.kernel',
    'verify.kernel=',
    'verify.kernel=  ',
    'verify.kernels=x',
    '=x',
    '',
  ])('is refused as "%s"', (text) => {
    expect(() => accepting(text, undefined)).toThrow();
    expect(() => accepting(text, undefined)).not.toThrow(Fault);
  });
});
