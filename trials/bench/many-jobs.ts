import type { Pbs } from '../../src/api/pbs.js';
import type { BackupJob, Pve, PveTask } from '../../src/api/pve.js';
import { parseConfig } from '../../src/config/load.js';
import { targetOf } from '../../src/config/target.js';
import { answers } from '../../src/host/answers.js';
import { ScheduleCache } from '../../src/host/schedule-cache.js';
import { clusterLock } from '../../src/lock/cluster-lock.js';
import { planFor } from '../../src/schedule/look-ahead.js';
import { realClock } from '../../src/world.js';

const [JOBS, SCHEDULES, DAYS, DAY] = [2000, 60, 14, 86_400];

export const manyJobs = {
  name: `\`windows\`: ${JOBS} backup jobs with ${SCHEDULES} distinct schedules, ${DAYS} days`,
  target: 'one schedule-analyze per distinct schedule and page; own computing at most 0.5 s',
  how: 'The plan of `windows` over answers that cost nothing: 50 of the schedules run daily (one page of 100 runs), 10 hourly (7 pages: 14 days ahead, 14 back), 1,500 past tasks. Computing is the CPU time of this process for it, JSON included; the first of 3.',
  async measure() {
    const asked = new Map<string, number>();
    const seen = answers({
      ...host(asked),
      clock: realClock,
      ownRun: null,
      accountsFor: () => false,
      otherHosts: async () => [],
      schedules: new ScheduleCache(),
      survey: () => Promise.reject(),
      servedInGuest: async () => null,
      served: async () => null,
      addressesOf: async () => [],
    });
    const before = process.cpuUsage();
    const plan = await planFor(seen, DAYS * 24, 'UTC');
    JSON.stringify(plan);
    const { user, system } = process.cpuUsage(before);
    const requests = [...asked.values()].reduce((sum, each) => sum + each, 0);
    const pages = 50 * 1 + 10 * 7;
    const cpuMs = (user + system) / 1000;
    return {
      schedules: asked.size,
      requests,
      pages,
      cpuMs,
      busy: plan.busy.length,
      met: asked.size === SCHEDULES && requests <= pages && cpuMs <= 500,
    };
  },
};

function host(asked: Map<string, number>) {
  const secret = { env: 'SECRET' };
  const config = parseConfig(
    JSON.stringify({
      clusters: { main: { endpoints: ['https://pve1:8006'], token: 'a@pve!b', secret, tls: {} } },
      hosts: {
        pbs01: {
          endpoint: 'https://pbs01:8007',
          token: 'a@pbs!b',
          secret,
          tls: {},
          guest: { cluster: 'main', vmid: 900 },
        },
      },
    }),
    'config.json',
  );
  const now = Math.floor(Date.now() / 1000);
  const pbs = {
    jobs: async () => [],
    recentTasks: async () => [],
    nodeStatus: async () => ({ fingerprint: null }),
  };
  const pve = {
    backupJobs: async () => Array.from({ length: JOBS }, (_, index) => job(index)),
    storages: async () => [{ storage: 'pbs01', type: 'pbs', server: 'pbs01', port: 8007, fingerprint: null }],
    clusterStatus: async () => ({
      quorate: true,
      online: ['pve1', 'pve2', 'pve3'],
    }),
    nodeTasksFinished: async () => Array.from({ length: 500 }, (_, index) => task(now, index)),
    scheduleRuns: async (schedule: string, start: number, iterations: number) => {
      asked.set(schedule, (asked.get(schedule) ?? 0) + 1);
      const every = schedule.includes('hourly') ? 3600 : DAY;
      const first = (Math.floor(start / every) + 1) * every + Number(schedule.split(' ')[1]) * 60;
      return Array.from({ length: iterations }, (_, index) => first + index * every);
    },
  };
  const cluster = { name: 'main', config: config.clusters.main, lockVmid: 900, pve: pve as unknown as Pve };
  if (!cluster.config) throw new Error('the config has no cluster');
  const known = { ...cluster, config: cluster.config };
  const access = { ...known, lock: clusterLock(known, { clock: realClock, random: Math.random }, 0) };
  return {
    target: targetOf(config, 'pbs01'),
    pbs: pbs as unknown as Pbs,
    clusters: [access],
    guestCluster: access,
  };
}

const job = (index: number): BackupJob => ({
  id: `backup-${index}`,
  enabled: true,
  schedule: `${index % SCHEDULES < 10 ? 'hourly' : 'daily'} ${index % SCHEDULES}`,
  storage: 'pbs01',
  node: null,
  vmids: [100 + index],
  all: false,
  pool: null,
  exclude: [],
  nextRun: null,
  repeatMissed: false,
  comment: null,
});

const task = (now: number, index: number): PveTask => ({
  upid: `UPID:pve1:${index}`,
  node: 'pve1',
  type: 'vzdump',
  id: '',
  user: 'root@pam',
  startedAt: now - index * 2400,
  endedAt: now - index * 2400 + 900,
  status: 'OK',
});
