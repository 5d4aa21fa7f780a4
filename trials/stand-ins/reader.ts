import { readFileSync } from 'node:fs';
import { connectPbs, connectPve } from '../../src/api/connect.js';
import { Secret } from '../../src/config/secret.js';
import { Journal } from '../../src/journal/journal.js';
import { followToItsEnd } from '../../src/patch/follow-upgrade.js';
import { refresh } from '../../src/patch/refresh.js';
import type { Run } from '../../src/patch/run.js';
import { methodOf } from '../../src/patch/upgrade.js';
import { realClock, realWorld } from '../../src/world.js';

// A process of the product's own parts that reads one very long thing and tells what it took. The servers
// are another process: process.argv holds what to read, their address and their fingerprint.

const [what = '', address = '', fingerprint = '', stateDir = ''] = process.argv.slice(2);
const options = {
  endpoints: [address],
  tokenId: 'pbs-ctl@pbs!patch',
  secret: new Secret('11111111-2222-3333-4444-555555555555', 'the trial'),
  tls: { fingerprints: [fingerprint] },
  requestTimeoutMs: 15_000,
  world: realWorld(),
};
const pbs = connectPbs({ ...options, name: 'pbs01' });
const pve = connectPve({ ...options, name: 'main' });
let steps = 0;

const run = {
  host: {
    pbs,
    guest: {
      pve: { agent: { exec: async () => 1, execStatus: async () => slice() } },
      vmid: 900,
      clock: realClock,
    },
    target: {
      host: 'pbs01',
      upgradeUnit: null,
      policy: { pollInterval: 1, upgradeTimeout: 3_600_000, requestTimeout: 15_000 },
    },
  },
  journal: Journal.begin(stateDir, 'k3f9x2', realClock, {
    type: 'started',
    host: 'pbs01',
    mode: 'patch',
    owesReboot: false,
  }),
  clock: realClock,
  reporter: { emit: () => (steps += 1), end: () => {} },
  interruption: {
    signal: new AbortController().signal,
    hold: () => {},
    release: () => {},
    finish: () => {},
    throwIfStopped: () => {},
    end: () => {},
  },
  lease: { confirm: async () => {} },
} as unknown as Run;

const APT_BYTES = 50 * 1024 * 1024;
const SLICE = 256 * 1024;
let handedOut = 0;
/** What the agent hands back of an upgrade whose log is not at its end yet. */
function slice() {
  const length = Math.max(0, Math.min(SLICE, APT_BYTES - handedOut));
  const running = handedOut < APT_BYTES / 2;
  handedOut += length;
  const state = running
    ? 'ActiveState=active\nSubState=running\nExecMainCode=0\nExecMainStatus=0'
    : 'ActiveState=active\nSubState=exited\nExecMainCode=1\nExecMainStatus=0';
  const percent = Math.min(99, (handedOut / APT_BYTES) * 100);
  const log = 'Unpacking package-of-some-length (1.0-2) over (1.0-1) ...\n'
    .repeat(SLICE / 58 + 1)
    .slice(0, length);
  return {
    exited: true,
    exitCode: 0,
    signal: null,
    stderr: '',
    stdout: `LoadState=loaded\n${state}\n@@status\npmstatus:package:${percent}:Unpacking package\n@@log\n${log}`,
  };
}

const acts: Readonly<Record<string, () => Promise<unknown>>> = {
  nothing: async () => {},
  tasks: async () => {
    await pbs.runningTasks();
    await pbs.recentTasks(500);
    await pve.nodeTasksFinished('pve1', { type: 'vzdump', since: 0, limit: 500 });
    await pve.runningTasks('pve1');
  },
  log: () => refresh(run),
  // It ends with the look at the packages afterwards, which is not played here.
  apt: () => followToItsEnd(run, methodOf(run)).catch(() => {}),
};
await acts[what]?.();
await Promise.all([pbs.close(), pve.close()]);
const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
console.log(JSON.stringify({ peakMb: Number(peak?.[1] ?? 0) / 1024, steps, handedOut }));
process.exit(0);
