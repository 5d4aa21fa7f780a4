import { describe, expect, it } from 'vitest';
import { type Check, type Judgement, perCluster, retryAfter, runChecks } from '../../src/checks/check.js';
import { Fault } from '../../src/fault.js';
import { AnswerCache } from '../../src/host/answer-cache.js';
import type { Answers } from '../../src/host/answers.js';
import { A_MINUTE, ALWAYS, GATES, type Rules } from '../../src/rules/rounds.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { judge, NOW, target } from './judge.js';

describe('a round of checks', () => {
  const cache = new AnswerCache(new VirtualClock());
  const answers = { target: target(), now: NOW, cache } as unknown as Answers;
  const rules: Rules = { rounds: ALWAYS };
  it('turns a check that throws into a block with its reason', async () => {
    const broken: Check = {
      id: 'pbs.api',
      rules,
      look: () => Promise.reject(new Fault('net.unreachable', 'no route', { kind: 'passing', hint: 'look' })),
      judge: () => ({ status: 'pass', summary: '' }),
    };
    expect(await runChecks([broken], answers)).toEqual([
      {
        id: 'pbs.api',
        status: 'block',
        summary: 'no route',
        detail: { error: 'net.unreachable', hint: 'look' },
        retryAfter: null,
      },
    ]);
  });
  it('turns a judgement that throws into a block too', async () => {
    const broken: Check = {
      id: 'pbs.api',
      rules,
      look: async () => null,
      judge: () => {
        throw new TypeError('x is undefined');
      },
    };
    expect((await runChecks([broken], answers))[0]?.status).toBe('block');
  });
  it('asks a lasting check once a minute, unless it blocked; any other in each round; for a gate all afresh', async () => {
    const asked: string[] = [];
    const check = (id: Check['id'], status: 'warn' | 'block', more: object = {}): Check => ({
      id,
      rules: { ...rules, ...more },
      look: async () => asked.push(id),
      judge: () => ({ status, summary: '' }),
    });
    const checks = [
      check('pbs.access', 'warn', { lasting: A_MINUTE }),
      check('pve.access', 'block', { lasting: A_MINUTE }),
      check('pbs.tasks', 'warn'),
    ];
    const rounds = [await runChecks(checks, answers), await runChecks(checks, answers, { round: 'recheck' })];
    expect(asked.splice(0)).toEqual(['pbs.access', 'pve.access', 'pbs.tasks', 'pve.access', 'pbs.tasks']);
    expect(rounds[1]).toEqual(rounds[0]);
    for (const round of ['upgrade', 'reboot'] as const) {
      await runChecks(checks, answers, { round });
      expect(asked.splice(0), round).toEqual(['pbs.access', 'pve.access', 'pbs.tasks']);
    }
  });
  it('asks what counts the questions of others once these have been answered', async () => {
    const order: string[] = [];
    const check = (id: Check['id'], more: Partial<Rules> = {}): Check => ({
      id,
      rules: { ...rules, ...more },
      look: async () => {
        order.push(`${id} asked`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${id} answered`);
      },
      judge: () => ({ status: 'pass', summary: '' }),
    });
    const checks = [check('pbs.tasks', { last: GATES }), check('pbs.datastores')];
    const findings = await runChecks(checks, answers, { round: 'reboot' });
    expect(order).toEqual([
      'pbs.datastores asked',
      'pbs.datastores answered',
      'pbs.tasks asked',
      'pbs.tasks answered',
    ]);
    expect(findings.map(({ id }) => id)).toEqual(['pbs.tasks', 'pbs.datastores']);
  });
  const finding = (status: 'pass' | 'block', retry: string | null) =>
    ({ id: 'pbs.api', status, summary: '', detail: {}, retryAfter: retry }) as const;
  it('is expected to be safe when the last block is over', () =>
    expect(
      retryAfter([
        finding('block', '2026-01-01T00:00:00.000Z'),
        finding('block', '2026-01-02T00:00:00.000Z'),
        finding('pass', null),
      ]),
    ).toBe('2026-01-02T00:00:00.000Z'));
  it('promises nothing while one block has no known end', () =>
    expect(retryAfter([finding('block', '2026-01-01T00:00:00.000Z'), finding('block', null)])).toBeNull());
});

describe('the same check of several clusters', () => {
  const check = perCluster({
    id: 'pve.api',
    rules: { rounds: ALWAYS },
    look: (): Promise<Judgement> => Promise.reject(),
    judge: (seen) => seen,
  });
  it('has the worst status, and lines that name the clusters', () =>
    expect(
      judge(check, [
        ['a', { status: 'pass', summary: 'fine' }],
        ['b', { status: 'block', summary: 'busy', retryAt: 5 }],
        ['c', { status: 'block', summary: 'full', retryAt: 9 }],
      ]),
    ).toMatchObject({
      status: 'block',
      summary: 'b: busy; c: full',
      retryAt: 9,
    }));
  it('names no cluster where there is one', () =>
    expect(judge(check, [['a', { status: 'warn', summary: 'old' }]])).toEqual({
      status: 'warn',
      summary: 'old',
    }));
});
