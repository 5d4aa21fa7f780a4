import { formatDuration } from '../config/quantity.js';
import { Fault } from '../fault.js';
import type { Guest } from '../guest/exec.js';
import { isoFromMs } from '../moment.js';
import { type BootSight, rebootVerdict } from '../rules/boot.js';
import { type Run, step } from './run.js';
import { type ApiSight, type Watching, watchApi } from './watch-api.js';

/** So long may a host take for an answer that has just booted, whatever the polls are apart. Milliseconds. */
const SLOW_ANSWER = 5000;

/** So often limits are looked at where nothing new was seen. Milliseconds. */
const TICK = 500;

/**
 * Waits until the host has provably booted again and both daemons of its API answer. Asks API, guest
 * agent and hypervisor side by side, each with a short time limit, so that a request swallowed by a dying
 * host costs no more than that.
 * @throws Fault `api.unauthorized`, `net.untrusted` (what answers is not what was trusted before),
 *   `reboot.not-down` when it has not gone down after a quarter of `rebootTimeout`,
 *   `reboot.not-back` when that is over
 */
export async function waitForBoot(run: Run): Promise<string> {
  const { pbs, guest, target } = run.host;
  const { reboot } = run.journal.state;
  if (!reboot)
    throw new Fault('reboot.not-asked', 'No reboot was asked for, so there is nothing to wait for.');
  const { rebootTimeout, pollInterval, requestTimeout } = target.policy;
  const limit = Math.max(pollInterval, Math.min(requestTimeout, SLOW_ANSWER));
  const requested = Date.parse(reboot.requestedAt);
  const seen: Sight = { api: null, bootId: null, vm: null, daemon: false, lost: false };
  const stop = new AbortController();
  // Ends the pause, so that what was seen counts at once.
  let news = new AbortController();
  let refused: unknown = null;
  const watching = {
    clock: run.clock,
    pollMs: pollInterval,
    signal: stop.signal,
    onSight: () => news.abort(),
  };
  const watchers = [
    watchApi(pbs, { ...watching, longestMs: limit }, seen),
    ...(guest ? [every(watching, () => watchAgent(guest, limit, seen))] : []),
    ...(guest ? [every({ ...watching, pollMs: 2 * pollInterval }, () => watchVm(guest, seen))] : []),
  ].map((watcher) =>
    watcher.catch((error: unknown) => {
      refused = error;
      news.abort();
    }),
  );
  const begun = run.clock.monotonic();
  let down = reboot.downAt !== null;
  let told = '';
  try {
    for (;;) {
      if (refused) throw refused;
      // A wall clock that is set back must not make the request younger than the wait for it.
      const elapsed = Math.max(run.clock.now() - requested, run.clock.monotonic() - begun);
      const verdict = rebootVerdict(reboot.before, elapsed / 1000, seen);
      if (!down && (seen.lost || verdict === 'rebooted')) {
        down = true;
        run.journal.append({ type: 'went-down', seenAt: isoFromMs(run.clock.now()) });
      }
      const text = describe(seen, verdict);
      if (text !== told) step(run, 'reboot', null, text);
      told = text;
      if (verdict === 'rebooted' && seen.api && seen.daemon) {
        const { epochSeconds, uptimeSeconds } = seen.api;
        run.journal.append({
          type: 'rebooted',
          boot: { bootTime: epochSeconds - uptimeSeconds, bootId: seen.bootId },
        });
        return `back after ${formatDuration(run.clock.now() - requested)}`;
      }
      const waited = run.clock.monotonic() - begun;
      // Also after a short silence: what answers is provably the boot of before.
      if ((!down || verdict === 'not-rebooted') && waited > rebootTimeout / 4) throw notDown(run, waited);
      if (waited > rebootTimeout) throw notBack(run, seen, verdict === 'rebooted');
      const interrupted = run.interruption.signal;
      await run.clock
        .sleep(Math.min(pollInterval, TICK), AbortSignal.any([interrupted, news.signal]))
        .catch(() => interrupted.throwIfAborted());
      if (news.signal.aborted) news = new AbortController();
    }
  } finally {
    stop.abort();
    await Promise.allSettled(watchers);
  }
}

interface Sight extends BootSight, ApiSight {
  api: BootSight['api'];
  bootId: string | null;
  /** What the hypervisor says of the VM. */
  vm: string | null;
}

/** Silence says nothing: an id that was read before it must not count as that of the boot that runs now. */
async function watchAgent(guest: Guest, limitMs: number, seen: Sight): Promise<void> {
  seen.bootId = await guest.pve.agent.bootId(guest.vmid, limitMs).catch(() => null);
}

async function watchVm(guest: Guest, seen: Sight): Promise<void> {
  seen.vm = await guest.pve.guestStatus(guest.vmid).then(
    ({ status }) => status,
    () => null,
  );
}

/** Repeats until the signal; never two at once. */
async function every({ clock, pollMs, signal, onSight }: Watching, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act();
    onSight();
    await clock.sleep(pollMs, signal).catch(() => {});
  }
}

function describe(seen: Sight, verdict: string): string {
  if (verdict === 'rebooted')
    return seen.daemon
      ? 'booted, API answers'
      : seen.api
        ? 'booted, proxy answers, daemon not yet'
        : 'booted, waiting for the API';
  const parts = [
    seen.lost ? 'connection lost' : 'still up',
    ...(seen.vm ? [`VM ${seen.vm}`] : []),
    ...(seen.api ? ['API answers'] : []),
  ];
  return parts.join(', ');
}

function notDown(run: Run, waited: number): Fault {
  const { host } = run.host.target;
  return new Fault(
    'reboot.not-down',
    `${host} has not gone down ${formatDuration(waited)} after the reboot was asked for; it is not asked again.`,
    {
      hint: `See its console and what hangs: pbs-ctl recover --host ${host}. Once it has rebooted: pbs-ctl patch --host ${host}. To give the run up: pbs-ctl patch --host ${host} --abandon`,
    },
  );
}

function notBack(run: Run, seen: Sight, booted: boolean): Fault {
  const { host, policy } = run.host.target;
  const state = booted ? 'it has booted, but its API does not answer' : describe(seen, 'unknown');
  return new Fault(
    'reboot.not-back',
    `${host} did not come back within ${formatDuration(policy.rebootTimeout)}: ${state}.`,
    {
      hint: `See its console, mounts and services: pbs-ctl recover --host ${host}. Once it is up: pbs-ctl patch --host ${host}`,
    },
  );
}
