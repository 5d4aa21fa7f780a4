import { mkdirSync } from 'node:fs';
import { parseConfig } from '../../../src/config/load.js';
import { targetOf } from '../../../src/config/target.js';
import { Fault } from '../../../src/fault.js';
import { AnswerCache } from '../../../src/host/answer-cache.js';
import { answers } from '../../../src/host/answers.js';
import type { Host } from '../../../src/host/open.js';
import { ScheduleCache } from '../../../src/host/schedule-cache.js';
import { Journal } from '../../../src/journal/journal.js';
import { type Disk, realDisk } from '../../../src/journal/line-file.js';
import { runsOf } from '../../../src/journal/runs.js';
import { isUnfinished, type RunState } from '../../../src/journal/state.js';
import { clusterLock } from '../../../src/lock/cluster-lock.js';
import { listenForInterruption } from '../../../src/patch/interruption.js';
import { carryOut } from '../../../src/patch/workflow.js';
import { type Clock, Interrupted } from '../../../src/world.js';
import type { VirtualClock } from '../../support/virtual-clock.js';
import { type Carry, pbsClient, pveClient, type Write } from './clients.js';
import type { Event } from './events.js';
import type { Seen, Servers } from './servers.js';

/** A request of a run: so many after its first one that changes `after`, or after its beginning. */
export interface Moment {
  readonly after: Write | 'the beginning';
  readonly plus: number;
}
/** What befalls a run. */
export interface Fate {
  readonly killAt:
    | (Moment & { readonly side: 'before' | 'after' })
    | { readonly write: number; readonly side: 'before' | 'after' }
    | null;
  readonly mishaps: ReadonlyArray<Moment & { readonly kind: 'lost' | 'unheard' | 'garbled' }>;
  readonly events: ReadonlyArray<Moment & Event>;
  /** The journal write for which there is room in part only. */
  readonly diskFullAt: number | null;
}
export const HEALTHY: Fate = { killAt: null, mishaps: [], events: [], diskFullAt: null };
/** What an event may do to the process itself. */
export interface Process {
  readonly servers: Servers;
  readonly clock: VirtualClock;
  signal(): void;
}

const POLICY = {
  rebootTimeout: '2m',
  upgradeTimeout: '5m',
  stableFor: '5s',
  pollInterval: '2s',
  requestTimeout: '15s',
};
const CONFIG = parseConfig(
  JSON.stringify({
    clusters: {
      main: {
        endpoints: ['https://pve1:8006'],
        token: 'a@pve!b',
        secret: { env: 'X' },
        tls: {},
        lock: { vmid: 900, ttl: '3m' },
      },
    },
    hosts: {
      pbs01: {
        endpoint: 'https://pbs01:8007',
        token: 'a@pbs!b',
        secret: { env: 'X' },
        tls: {},
        serves: ['main'],
        upgrade: { via: 'service', unit: 'pbs-ctl-upgrade.service' },
        policy: POLICY,
      },
    },
  }),
  'test',
);
const TARGET = targetOf(CONFIG, 'pbs01');
const never = () => new Promise<never>(() => {});

/** One `patch`, from its beginning to its end or its death. @returns the run as it told it, null when it died */
export async function patch(
  servers: Servers,
  clock: VirtualClock,
  stateDir: string,
  runId: string,
  fate: Fate,
): Promise<RunState | null> {
  let dead = false;
  let die = () => {};
  const death = new Promise<null>((resolve) => {
    die = () => {
      dead = true;
      resolve(null);
    };
  });
  const own: Clock = {
    now: clock.now,
    monotonic: clock.monotonic,
    timeout: (ms) => clock.timeout(ms),
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal);
      if (dead) await never();
    },
  };
  const disk = fatefulDisk(fate, () => dead, die);
  const journal = openJournal(stateDir, runId, own, disk);
  if (!journal) return null;
  const [first, second] = [new AbortController(), new AbortController()];
  const signals = { stop: first.signal, now: second.signal, heedSignals: () => () => {} };
  const interruption = listenForInterruption(signals, () => {});
  const signal = () => (first.signal.aborted ? second : first).abort(new Interrupted('SIGTERM'));
  const process: Process = { servers, clock, signal };
  const seen: Seen = { lockIsOwn: false, sinceLock: 0, tasks: 0, sinceTasks: 0 };
  let asked = 0;
  const firsts = new Map<Moment['after'], number>([['the beginning', 1]]);
  const carry: Carry = async (what, to, act) => {
    asked += 1;
    if (what !== 'read' && !firsts.has(what)) firsts.set(what, asked);
    const number = asked;
    const isNow = ({ after, plus }: Moment) => firsts.get(after) === number - plus;
    await Promise.resolve();
    if (dead) return never();
    seen.sinceLock += 1;
    seen.sinceTasks += 1;
    for (const event of fate.events.filter(isNow)) event.act(process);
    const { killAt } = fate;
    const killed = killAt && 'after' in killAt && isNow(killAt) ? killAt.side : null;
    if (killed === 'before') die();
    if (dead) return never();
    const mishap = fate.mishaps.find(isNow)?.kind;
    const unknown =
      what === 'read'
        ? new Fault('net.timeout', 'no answer', { kind: 'passing' })
        : new Fault('outcome.unknown', 'no answer', { kind: 'unknown' });
    if (to === 'pbs' && !servers.answers)
      throw new Fault('net.unreachable', 'connection refused', { kind: 'passing' });
    if (mishap === 'lost') throw unknown;
    const answer = act();
    if (killed === 'after') die();
    if (dead) return never();
    if (mishap === 'unheard') throw unknown;
    if (mishap === 'garbled') throw new Fault('api.unreadable', 'a page of a proxy', { kind: 'unknown' });
    return answer;
  };
  const host = siteOf(servers, carry, own, journal.runId, seen);
  const run = {
    host,
    journal,
    clock: own,
    reporter: { emit: () => {}, end: () => {} },
    interruption,
    requiredPlan: null,
    ignoredWindow: null,
    cache: new AnswerCache(own),
    sole: true,
    lease: null,
  };
  await clock.until(Promise.race([carryOut(run), death]));
  if (dead) return null;
  const { state } = journal;
  // What a second signal has left is ended with its process.
  dead = true;
  journal.close();
  return state;
}

function siteOf(servers: Servers, carry: Carry, clock: Clock, run: string, seen: Seen): Host {
  const pbs = pbsClient(servers, carry, run, seen);
  const config = CONFIG.clusters.main;
  if (!config) throw new Error('the config has a cluster "main"');
  const access = { name: 'main', config, lockVmid: 900, pve: pveClient(servers, carry, run, seen) };
  const cluster = {
    ...access,
    lock: clusterLock(access, { clock, random: Math.random }, TARGET.policy.requestTimeout),
  };
  return {
    target: TARGET,
    pbs,
    clusters: [cluster],
    guestCluster: null,
    guest: null,
    // The checks of PVE have tests of their own; what is decided here rests on the lock and on PBS.
    answers: (ownRun) =>
      answers({
        target: TARGET,
        pbs,
        clusters: [],
        clock,
        ownRun,
        schedules: new ScheduleCache(),
        survey: () => Promise.reject(new Fault('guest.none', 'no guest')),
        servedInGuest: async () => null,
        served: async () => null,
        addressesOf: async () => [],
        accountsFor: () => true,
        otherHosts: async () => [],
      }),
    close: async () => {},
  };
}

/** As `patch` does: the unfinished run, or a new one. Null where not even its first line can be written. */
function openJournal(stateDir: string, runId: string, clock: Clock, disk: Disk): Journal | null {
  mkdirSync(stateDir, { recursive: true });
  try {
    const unfinished = runsOf(stateDir, 'pbs01').findLast(isUnfinished);
    const first = { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false } as const;
    if (!unfinished) return Journal.begin(stateDir, runId, clock, first, disk);
    const journal = Journal.reopen(stateDir, unfinished.runId, clock, disk);
    journal.append({ type: 'resumed' });
    return journal;
  } catch (error) {
    if (error instanceof Fault && error.code === 'state.unwritable') return null;
    throw error;
  }
}

/** A disk that fills up, or on which the process dies in the middle of a line. */
function fatefulDisk({ killAt, diskFullAt }: Fate, isDead: () => boolean, die: () => void): Disk {
  let writes = 0;
  const gone = () => {
    if (isDead()) throw new Error('killed');
  };
  return {
    writeSync(file, bytes) {
      gone();
      writes += 1;
      if (diskFullAt !== null && writes > diskFullAt) throw new Error('ENOSPC: no space left on device');
      if (diskFullAt === writes) return realDisk.writeSync(file, bytes.subarray(0, bytes.length / 2));
      if (!killAt || !('write' in killAt) || killAt.write !== writes) return realDisk.writeSync(file, bytes);
      realDisk.writeSync(file, killAt.side === 'before' ? bytes.subarray(0, bytes.length / 2) : bytes);
      die();
      throw new Error('killed');
    },
    // It would make each run cost some tens of milliseconds, and nothing here rests on it.
    fsyncSync: gone,
    ftruncateSync(file, length) {
      gone();
      realDisk.ftruncateSync(file, length);
    },
  };
}
