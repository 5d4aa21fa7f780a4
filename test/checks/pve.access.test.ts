import { describe, expect, it } from 'vitest';
import { majorFor, pveAccess } from '../../src/checks/pve.access.js';
import type { PveAnswers } from '../../src/host/answer-cache.js';
import { judge, NOW } from './judge.js';

describe('the access of a token', () => {
  const of = (facts: object, tagAccess: string | null = null) => {
    const seen = { missing: [], asked: 7, token: 'a@pve!b', major: 9, hidden: [], facts, tagAccess };
    return judge(pveAccess, [['main', seen]]);
  };
  const facts = (inSeconds: number | null, userInSeconds: number | null = null) => ({
    expiresAt: inSeconds === null ? null : NOW + inSeconds,
    userExpiresAt: userInSeconds === null ? null : NOW + userInSeconds,
    separated: true,
  });
  const DAY = 86_400;

  it.each`
    token       | user       | status     | because
    ${null}     | ${null}    | ${'pass'}  | ${'neither ends'}
    ${600}      | ${null}    | ${'block'} | ${'it ends before a run would be over'}
    ${null}     | ${600}     | ${'block'} | ${'its user does, without whom it is not accepted'}
    ${-60}      | ${null}    | ${'block'} | ${'it has ended'}
    ${3600}     | ${null}    | ${'warn'}  | ${'it ends within 14 days'}
    ${13 * DAY} | ${null}    | ${'warn'}  | ${'it ends within 14 days'}
    ${15 * DAY} | ${null}    | ${'pass'}  | ${'that is long from now'}
    ${15 * DAY} | ${5 * DAY} | ${'warn'}  | ${'its user ends sooner'}
  `('is a $status where it ends in $token s and its user in $user s: $because', ({ token, user, status }) =>
    expect(of(facts(token, user))).toMatchObject({ status }),
  );

  it('names the time and the command', () => {
    const { summary, fixes } = of(facts(600));
    expect(summary).toMatch(
      /^a@pve!b ends at 2025-11-24 16:10 UTC \(in 10m 00s\), before a run would be over$/,
    );
    expect(fixes).toEqual([
      { where: 'a node of main', commands: ['pveum user token modify a@pve b -expire 0'] },
    ]);
  });

  it('blocks where only administrators may set tags, with the fix that doctor has', () => {
    const { status, summary, fixes } = of(facts(null), 'none');
    expect({ status, summary }).toEqual({
      status: 'block',
      summary: 'only administrators may set tags in this cluster (user-tag-access is "none")',
    });
    expect(fixes?.[0]?.commands).toEqual(['pvesh set /cluster/options --user-tag-access user-allow=free']);
    expect(of(facts(null), 'free').status).toBe('pass');
  });
});

describe('what the PVE token needs', () => {
  const pve = (carrier: string | null) =>
    ({
      version: async () => ({ version: '9.2', major: 9 }),
      findGuest: async () => ({ vmid: 900, node: 'pve3' }),
      nodeStatus: async (node: string) => {
        if (carrier === null) throw new Error('no answer');
        return { version: node === 'pve3' ? carrier : '9.2.11' };
      },
    }) as unknown as PveAnswers;

  it('follows the version of the node that carries the VM, not of the one that answers', async () =>
    expect(await majorFor(pve('8.4.14'), 900)).toBe(8));
  it.each([
    ['that node does not tell its version', pve(null), 900],
    ['the cluster has no VM of a host', pve('8.4.14'), null],
  ])('follows the node that answers where %s', async (_, answers, vmid) =>
    expect(await majorFor(answers, vmid)).toBe(9));
});

describe('pve.access', () => {
  it.each([
    ['lists every node of the cluster', [], 'pass'],
    ['leaves a node out, whose guests and tags are hidden then', ['pve2'], 'block'],
  ])('judges a list of resources that %s', (_, hidden, status) => {
    const seen = [
      ['main', { missing: [], asked: 7, token: 'a@pve!b', major: 9, hidden, facts: null, tagAccess: null }],
    ];
    expect(judge(pveAccess, seen)).toMatchObject({ status });
  });
});
