import { describe, expect, it } from 'vitest';
import { Recent } from '../../src/host/recent.js';
import type { Finding } from '../../src/journal/document.js';

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

const finding = (id: Finding['id'], status: Finding['status']): Finding => ({
  id,
  status,
  summary: '',
  detail: {},
  retryAfter: null,
});

/** How often a server is asked in two rounds, the second of them after `between`. */
async function timesAsked(method: string, between: (moment: { wall: number; monotonic: number }) => void) {
  const { moment, clock: time } = clock();
  const recent = new Recent(time);
  let asked = 0;
  const ask = async () => {
    asked += 1;
  };
  await recent.answer('PBS', method, `${method} []`, ask);
  between(moment);
  await recent.answer('PBS', method, `${method} []`, ask);
  return asked;
}

describe('between two rounds of checks', () => {
  it.each(['version', 'nodeStatus', 'jobs', 'storages'])('%s lasts', async (method) => {
    expect(await timesAsked(method, () => {})).toBe(1);
  });

  it.each([
    ...['runningTasks', 'activeOperations', 'datastores', 'datastoreUsage'],
    ...[
      'nodePackages',
      'clusterTasks',
      'clusterStatus',
      'guests',
      'guestStatus',
      'registeredTags',
      'haManager',
      'backupJobs',
    ],
  ])('%s is asked anew', async (method) => {
    expect(await timesAsked(method, () => {})).toBe(2);
  });

  it.each<[string, (moment: { wall: number; monotonic: number }) => void]>([
    ['a minute has passed', (moment) => Object.assign(moment, { monotonic: 60_000 })],
    ['the machine has slept', (moment) => Object.assign(moment, { wall: moment.wall + 60_000 })],
    ['the clock was set back', (moment) => Object.assign(moment, { wall: moment.wall - 1 })],
  ])('nothing lasts when %s', async (_, between) => {
    expect(await timesAsked('version', between)).toBe(2);
  });

  it('what failed is asked for again', async () => {
    const recent = new Recent(clock().clock);
    await expect(
      recent.answer('PBS', 'version', 'version []', () => Promise.reject(new Error('lost'))),
    ).rejects.toThrow('lost');
    expect(await recent.answer('PBS', 'version', 'version []', async () => '4.2')).toBe('4.2');
  });

  it('the verdict on privileges and clocks stands, a block and one on tasks do not', () => {
    const recent = new Recent(clock().clock);
    recent.keep([
      finding('pbs.access', 'pass'),
      finding('clock.skew', 'warn'),
      finding('pve.access', 'block'),
      finding('pbs.tasks', 'pass'),
    ]);
    expect([...recent.settled().keys()]).toEqual(['pbs.access', 'clock.skew']);
  });
});
