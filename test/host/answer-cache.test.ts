import { describe, expect, it } from 'vitest';
import { Pbs } from '../../src/api/pbs.js';
import { Pve } from '../../src/api/pve.js';
import type { Request, Server } from '../../src/api/request.js';
import { AnswerCache, PBS_READS, type PbsAnswers, PVE_READS } from '../../src/host/answer-cache.js';
import type { Answers } from '../../src/host/answers.js';

function clock() {
  const moment = { wall: 1_764_003_600_000, monotonic: 0 };
  return {
    moment,
    clock: {
      now: () => moment.wall,
      timeout: AbortSignal.timeout,
      monotonic: () => moment.monotonic,
      sleep: async () => {},
    },
  };
}

/** A server that notes what it is asked. */
function server(answer: (request: Request) => unknown) {
  const requests: Request[] = [];
  const ask = async (request: Request) => {
    requests.push(request);
    return answer(request) as never;
  };
  return { requests, server: { ask, askWhole: ask } as unknown as Server };
}

const pbsOf = (server: Server) =>
  new Pbs(server, { clock: clock().clock, requestTimeoutMs: 1000, together: false });

/** What a method is asked with, where a number would not do. */
const PARAMETERS: Readonly<Record<string, readonly unknown[]>> = {
  inUse: [['tank'], [], 'before'],
  datastoreUsage: [['tank']],
  jobs: ['4.2', [], ['tank']],
};

type Round = Record<string, (...parameters: unknown[]) => Promise<unknown>>;
const pbsRound = (cache: AnswerCache, pbs: Pbs) => cache.pbs(pbs) as unknown as Round;
const pveRound = (cache: AnswerCache, pve: Pve) => cache.pve('main', pve) as unknown as Round;

/** How many requests a question takes in two rounds, the second of them after `between`. */
async function timesAsked(
  product: 'pbs' | 'pve',
  method: string,
  between: (moment: { wall: number; monotonic: number }) => void = () => {},
) {
  const { moment, clock: time } = clock();
  const { requests, server: asked } = server(({ path }) =>
    path === '/cluster/resources' ? [{ vmid: 900, node: 'pve1', type: 'qemu' }] : [{ version: '4.2' }],
  );
  const cache = new AnswerCache(time);
  const round = (): Round =>
    product === 'pbs' ? pbsRound(cache, pbsOf(asked)) : pveRound(cache, new Pve('main', asked));
  await round()[method]?.(...(PARAMETERS[method] ?? [900]));
  const first = requests.length;
  between(moment);
  await round()[method]?.(...(PARAMETERS[method] ?? [900]));
  return requests.length / first;
}

describe('within a round', () => {
  it('each question is asked once, whatever its age', async () => {
    const { requests, server: asked } = server(() => []);
    const pbs = new AnswerCache(clock().clock).pbs(pbsOf(asked));
    await Promise.all([pbs.datastores(), pbs.datastores(), pbs.nodeStatus(), pbs.nodeStatus()]);
    await pbs.datastores();
    expect(requests).toHaveLength(2);
  });

  it('other parameters, and another cluster, are another question', async () => {
    const { requests, server: asked } = server(() => ({ epochSeconds: 1 }));
    const cache = new AnswerCache(clock().clock);
    await cache.pve('a', new Pve('a', asked)).nodeTime('pve1');
    await cache.pve('a', new Pve('a', asked)).nodeTime('pve2');
    await cache.pve('b', new Pve('b', asked)).nodeTime('pve1');
    expect(requests).toHaveLength(3);
  });

  it('nothing can be changed: a second identical write would be swallowed', () => {
    const write = [
      // @ts-expect-error a view reads only
      (answers: Answers) => answers.pbs.reboot(),
      // @ts-expect-error a view reads only
      (answers: Answers) => answers.pbs.setMaintenance('tank', null, ''),
      // @ts-expect-error a view reads only
      (answers: Answers) => answers.clusters[0]?.pve.setGuestTags(900, [], ''),
      // @ts-expect-error nor does it reach the lock
      (answers: Answers) => answers.clusters[0]?.lock,
    ];
    const pbs: Partial<Pbs> = new AnswerCache(clock().clock).pbs(pbsOf(server(() => ({})).server));
    expect(write).toHaveLength(4);
    expect(pbs.reboot).toBeUndefined();
  });

  it.each([
    ...Object.keys(PBS_READS).map((method) => ['PBS', method] as const),
    ...Object.keys(PVE_READS).map((method) => ['PVE', method] as const),
  ])('%s %s only looks', async (product, method) => {
    const { requests, server: asked } = server(({ path }) =>
      path === '/cluster/resources' ? [{ vmid: 'pve1', node: 'pve1', type: 'qemu' }] : {},
    );
    const cache = new AnswerCache(clock().clock);
    const round = product === 'PBS' ? pbsRound(cache, pbsOf(asked)) : pveRound(cache, new Pve('', asked));
    await round[method]?.(...(PARAMETERS[method] ?? ['pve1', {}, 1])).catch(() => {});
    expect(requests.length).toBeGreaterThan(0);
    expect(new Set(requests.map((request) => request.method))).toEqual(new Set(['GET']));
  });
});

describe('between two rounds', () => {
  it.each([
    ['pbs', 'version'],
    ['pbs', 'datastoreConfigs'],
    ['pve', 'storages'],
    ['pve', 'nodeTime'],
  ] as const)('%s %s lasts', async (product, method) => {
    expect(await timesAsked(product, method)).toBe(1);
  });

  it.each([
    ...(['runningTasks', 'inUse', 'datastores', 'datastoreUsage'] as const).map(
      (method) => ['pbs', method] as const,
    ),
    ...(
      [
        'nodePackages',
        'clusterTasks',
        'clusterStatus',
        'guests',
        'clusterOptions',
        'haManager',
        'backupJobs',
      ] as const
    ).map((method) => ['pve', method] as const),
  ])('%s %s is asked anew', async (product, method) => {
    expect(await timesAsked(product, method)).toBe(2);
  });

  it.each<[string, (moment: { wall: number; monotonic: number }) => void]>([
    ['a minute has passed', (moment) => Object.assign(moment, { monotonic: 60_000 })],
    ['the machine has slept', (moment) => Object.assign(moment, { wall: moment.wall + 60_000 })],
    ['the clock was set back', (moment) => Object.assign(moment, { wall: moment.wall - 1 })],
  ])('nothing lasts when %s', async (_, between) => {
    expect(await timesAsked('pbs', 'version', between)).toBe(2);
  });

  it('what failed is requested again', async () => {
    let answers = 0;
    const { server: asked } = server(() => {
      answers += 1;
      if (answers === 1) throw new Error('lost');
      return { version: '4.2' };
    });
    const cache = new AnswerCache(clock().clock);
    const round = (): PbsAnswers => cache.pbs(pbsOf(asked));
    await expect(round().version()).rejects.toThrow('lost');
    expect(await round().version()).toEqual({ version: '4.2' });
  });
});
