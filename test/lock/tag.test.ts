import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seenAt } from '../../src/lock/look.js';
import { formatLockTag, parseLockTag, withoutLock } from '../../src/lock/tag.js';

const word = fc.stringMatching(/^[a-z0-9._-]{1,12}$/);

describe('the lock tag', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 4_000_000_000 }), (owner, run, expiresAt) => {
        const lock = { owner, run, expiresAt };
        expect(parseLockTag('pbs-ctl-lock', formatLockTag('pbs-ctl-lock', lock))).toEqual(lock);
      }),
    );
  });

  it.each`
    tag                                   | read            | because
    ${'pbs-ctl-lock+pbs01+k3+1764003600'} | ${'lock'}       | ${'it is of the promised form'}
    ${'PBS-CTL-LOCK+PBS01+K3+1764003600'} | ${'lock'}       | ${'a case-sensitive cluster keeps the case in which it was typed'}
    ${'pbs-ctl-lock'}                     | ${null}         | ${'the plain prefix is a tag like any other'}
    ${'pbs-ctl-lock+'}                    | ${'unreadable'} | ${'no one knows who holds it'}
    ${'pbs-ctl-lock+pbs01'}               | ${'unreadable'} | ${'parts are missing'}
    ${'pbs-ctl-lock+a+b+c'}               | ${'unreadable'} | ${'the expiry is no number'}
    ${'pbs-ctl-lock+a+b+1+2'}             | ${'unreadable'} | ${'it has a part too many'}
    ${'pbs-ctl-locked'}                   | ${null}         | ${'only the plus makes it a lock'}
    ${'prod'}                             | ${null}         | ${'it has nothing to do with the lock'}
  `('reads $tag as $read, since $because', ({ tag, read }) => {
    const parsed = parseLockTag('pbs-ctl-lock', tag);
    expect(parsed !== null && typeof parsed === 'object' ? 'lock' : parsed).toBe(read);
  });

  it('is expired at the very second that it names', () => {
    const tags = ['pbs-ctl-lock+a+b+100'];
    const at = (now: number) => seenAt('pbs-ctl-lock', [{ place: 900, tags }], 900, now);
    expect(at(99)).toMatchObject({ kind: 'held', counts: { expired: false } });
    expect(at(100)).toMatchObject({ kind: 'held', counts: { expired: true } });
  });

  it('counts the lock that lasts longest when a restored backup brought an old one back', () => {
    const tags = ['pbs-ctl-lock+old+r1+100', 'pbs-ctl-lock+new+r2+200'];
    expect(seenAt('pbs-ctl-lock', [{ place: 900, tags }], 900, 150)).toMatchObject({
      counts: { lock: { owner: 'new' }, expired: false },
      others: [{ lock: { owner: 'old' }, expired: true }],
    });
  });

  it('never touches the tags of others', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_+.-]{0,10}$/)), (others) => {
        const foreign = others.filter((tag) => !tag.toLowerCase().startsWith('pbs-ctl-lock+'));
        expect(withoutLock('pbs-ctl-lock', [...foreign, 'pbs-ctl-lock+a+b+1'])).toEqual(foreign);
      }),
    );
  });
});
