import { describe, expect, it } from 'vitest';
import { pbsJobs } from '../../src/checks/pbs.jobs.js';
import { pbsTasks } from '../../src/checks/pbs.tasks.js';
import { parseConfig } from '../../src/config/load.js';
import { targetOf } from '../../src/config/target.js';
import { Fault } from '../../src/fault.js';
import type { Answers } from '../../src/host/answers.js';
import { askOtherHosts, type OtherHost } from '../../src/host/other-hosts.js';
import { syncsHere } from '../../src/schedule/syncs-here.js';
import { judge, NOW } from '../checks/judge.js';
import { VirtualClock } from '../support/virtual-clock.js';

const server = { token: 'a@pbs!b', secret: { env: 'X' }, tls: { fingerprints: [`${'AA:'.repeat(31)}AA`] } };
const configOf = () =>
  parseConfig(
    JSON.stringify({
      clusters: {
        main: { ...server, token: 'a@pve!b', endpoints: ['https://pve1:8006'], lock: { vmid: 900 } },
      },
      hosts: Object.fromEntries(
        ['pbs01', 'pbs02', 'pbs03'].map((host) => [
          host,
          {
            ...{ ...server, endpoint: `https://${host}:8007`, serves: ['main'] },
            upgrade: { via: 'service', unit: 'u.service' },
          },
        ]),
      ),
    }),
    'test',
  );
const TARGET = targetOf(configOf(), 'pbs01');

const pull = (more: object = {}) => ({
  ...{ id: 's-pull', store: 'tank', remote: 'main', schedule: 'hourly', nextRun: NOW + 600 },
  ...{ running: false, ...more },
});
const remote = (more: object = {}) => ({
  ...{ name: 'main', host: 'pbs01', port: null, fingerprint: null },
  ...more,
});
const seen = (other: object) => {
  const all = { host: 'pbs02', remotes: [remote()], syncs: [pull()], tasks: [], error: null, ...other };
  return syncsHere({
    target: TARGET,
    otherHosts: async () => [all as OtherHost],
    pbs: { nodeStatus: async () => ({ fingerprint: null }) },
    served: async () => null,
    addressesOf: async () => [],
  } as unknown as Answers);
};
const verdicts = async (other: object) => {
  const { jobs, running, doubts } = await seen(other);
  const due = judge(pbsJobs, { jobs: [], unknown: null, syncs: jobs, doubts });
  const now = judge(pbsTasks, { tasks: [], operations: [], lingering: [], syncs: running });
  return `${due.status} ${now.status}`;
};

describe('a sync job of another host of the config', () => {
  const task = { type: 'syncjob', id: 'main:tank:tank::s-pull', upid: 'u' };
  it.each([
    ['that pulls from this one in ten minutes', {}, 'block pass'],
    ['that pulls from it in hours', { syncs: [pull({ nextRun: NOW + 9000 })] }, 'pass pass'],
    ['that pulls from it right now', { syncs: [pull({ running: true })] }, 'pass block'],
    ['that was started by hand', { syncs: [pull({ nextRun: null })], tasks: [task] }, 'pass block'],
    [
      'of a remote with our fingerprint',
      { remotes: [remote({ host: 'x', ...{ fingerprint: server.tls.fingerprints[0] } })] },
      'block pass',
    ],
    ['of another host of the config', { remotes: [remote({ host: 'pbs03' })], tasks: [task] }, 'pass pass'],
    ['between two datastores of its own', { syncs: [pull({ remote: null })] }, 'pass pass'],
    [
      'of a remote that cannot be told apart',
      { remotes: [remote({ host: 'x' })], tasks: [task] },
      'warn pass',
    ],
    ['of a remote that its token cannot see', { remotes: [] }, 'warn pass'],
    [
      'that no one uses, of a remote that cannot be told apart',
      { remotes: [remote(), remote({ name: 'y', host: 'y' })], syncs: [] },
      'pass pass',
    ],
    ['on a host that does not answer', { error: 'no answer' }, 'warn pass'],
  ])('%s: pbs.jobs and pbs.tasks', async (_, other, expected) => {
    expect(await verdicts(other)).toBe(expected);
  });

  it('is named with its host', async () => {
    const { jobs, running } = await seen({ syncs: [pull({ running: true })], tasks: [task] });
    expect(running).toEqual(['sync job s-pull of pbs02 is running']);
    const due = judge(pbsJobs, { jobs: [], unknown: null, syncs: [{ ...jobs[0], running: false }] });
    expect(due.summary).toMatch(/^sync s-pull of pbs02 at /);
  });
});

describe('the other hosts of a config', () => {
  const answering =
    (opened: string[]) =>
    async ({ host }: { host: string }) => {
      opened.push(host);
      const client = {
        remotes: async () => [remote()],
        version: async () => ({ version: '4.1', release: '1' }),
        syncs: async () => [],
        runningTasks: async () => [],
        close: async () => {},
      };
      return client as never;
    };
  it('are asked once a minute, however many hosts want to know', async () => {
    const clock = new VirtualClock();
    const config = configOf();
    const opened: string[] = [];
    for (const host of ['pbs01', 'pbs02', 'pbs01'])
      await askOtherHosts(config, targetOf(config, host), { clock }, answering(opened));
    expect(opened.sort()).toEqual(['pbs01', 'pbs02', 'pbs03']);
    await clock.pass(60_000);
    await askOtherHosts(config, TARGET, { clock }, answering(opened));
    expect(opened).toHaveLength(5);
  });

  it('are waited for one requestTimeout, and one whose secret is not here is no reason to stop', async () => {
    const clock = new VirtualClock();
    const config = configOf();
    const never = () => new Promise<never>(() => {});
    const asked = askOtherHosts(config, TARGET, { clock }, async ({ host }) => {
      if (host === 'pbs02') throw new Fault('config.secret', 'The secret is not set.');
      return { remotes: never, version: never, runningTasks: never, close: async () => {} } as never;
    });
    await clock.pass(TARGET.policy.requestTimeout);
    expect(await asked).toEqual([
      { host: 'pbs02', error: 'The secret is not set.' },
      { host: 'pbs03', error: expect.stringContaining('time') },
    ]);
  });
});
