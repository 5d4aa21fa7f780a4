import { ApiFault } from '../api/failure.js';
import { formatDuration } from '../config/quantity.js';
import { Fault } from '../fault.js';
import { addressGone } from '../guest/address-gone.js';
import { isoFromMs } from '../moment.js';
import { type ObservedBoot, type RebootVerdict, rebootVerdict } from '../rules/boot.js';
import { changedBy, kernelRemark } from '../rules/changed-by-run.js';
import type { Clock } from '../world.js';
import { finishReboot, type Run, step } from './run.js';

/** While the API is silent it is asked this often. Milliseconds. */
const PROBE_EVERY = 500;
/** Where no answer is known yet, the network may be one on which it takes this long. Milliseconds. */
const SLOW_NETWORK = 4000;
/** A host that has booted and says nothing for longer than this may have lost its address. Milliseconds. */
const LONG_SILENCE = 20_000;
/** So long may a host take for an answer that has just booted, whatever the polls are apart. Milliseconds. */
const SLOW_ANSWER = 5000;

/**
 * Waits until the host has provably booted again and both daemons of its API answer. Each question to the
 * API has a connection of its own and a short time limit, so that one swallowed by a dying host costs no
 * more than that; guest agent and hypervisor are asked meanwhile.
 * @throws Fault `api.unauthorized`, `api.forbidden`, `net.untrusted` (what answers is not what was trusted
 *   before), `reboot.not-down` when it has not gone down after a quarter of `rebootTimeout`,
 *   `reboot.not-back` when that is over
 */
export async function waitForBoot(run: Run): Promise<string> {
  const { clock } = run;
  const { guest, target } = run.host;
  const { signal } = run.interruption;
  const { reboot } = run.journal.state;
  if (!reboot)
    throw new Fault('reboot.not-asked', 'No reboot was requested, so there is nothing to wait for.');
  finishReboot(run);
  const { rebootTimeout, pollInterval, requestTimeout } = target.policy;
  const longest = Math.max(pollInterval, Math.min(requestTimeout, SLOW_ANSWER));
  const requested = Date.parse(reboot.requestedAt);
  const begun = clock.monotonic();
  const api = new ApiProbe(run, longest);
  // Silence says nothing: a boot id that was read before it must not count as that of the boot that runs now.
  const agent = new Repeated(clock, pollInterval, async () =>
    guest ? guest.pve.agent.bootId(guest.vmid, longest) : null,
  );
  const vm = new Repeated(clock, 2 * pollInterval, async () =>
    guest ? (await guest.pve.guestStatus(guest.vmid)).status : null,
  );
  const gone = new Repeated(clock, LONG_SILENCE, async () =>
    guest ? addressGone(guest, target.config.endpoint, run.host.answers(null).addressesOf) : null,
  );
  const passphrases = run.journal.state.baseline?.passphrases ?? [];
  const causes =
    passphrases.length > 0 ? [`it asks for the passphrase of ${passphrases.join(', ')} at its console`] : [];
  /** Since when it has provably booted and its API is silent. */
  let silentSince: number | null = null;
  let down = reboot.downAt !== null;
  let told = '';
  try {
    for (;;) {
      agent.turn();
      vm.turn();
      const asked = clock.monotonic();
      await api.ask(signal);
      // A wall clock that is set back must not make the request younger than the wait for it.
      const elapsed = Math.max(clock.now() - requested, clock.monotonic() - begun);
      const verdict = rebootVerdict(reboot.before, elapsed / 1000, { api: api.seen, bootId: agent.seen });
      if (!down && (api.lost || verdict === 'rebooted')) {
        down = true;
        run.journal.append({ type: 'went-down', seenAt: isoFromMs(clock.now()) });
      }
      if (verdict === 'rebooted' && !api.seen) silentSince ??= clock.monotonic();
      else silentSince = null;
      const silentFor = silentSince === null ? 0 : clock.monotonic() - silentSince;
      if (silentFor > Math.min(LONG_SILENCE, rebootTimeout / 3)) gone.turn();
      const lost = silentSince === null ? null : gone.seen;
      const text = [describe(api, vm.seen, verdict), ...remarks(api, verdict, causes, lost)].join('; ');
      if (text !== told) step(run, 'reboot', null, text);
      told = text;
      if (verdict === 'rebooted' && api.seen && api.daemon) {
        const { epochSeconds, uptimeSeconds } = api.seen;
        const boot = { bootTime: epochSeconds - uptimeSeconds, bootId: agent.seen };
        run.journal.append({ type: 'rebooted', boot });
        return `back after ${formatDuration(clock.now() - requested)}`;
      }
      const waited = clock.monotonic() - begun;
      // Also after a short silence: what answers is provably the boot of before.
      if ((!down || verdict === 'not-rebooted') && waited > rebootTimeout / 4) throw notDown(run, waited);
      if (waited > rebootTimeout)
        throw notBack(
          run,
          [
            verdict === 'rebooted' ? 'it has booted, but its API does not answer' : describe(api, vm.seen),
            ...remarks(api, verdict, causes, lost),
          ].join('; '),
        );
      const every = api.seen && verdict !== 'rebooted' ? pollInterval : Math.min(PROBE_EVERY, pollInterval);
      await clock.sleep(Math.max(0, asked + every - clock.monotonic()), signal);
    }
  } finally {
    // The agent serves one caller at a time: the next to ask it must not meet this question.
    await Promise.all([agent.ended(), vm.ended(), gone.ended()]);
  }
}

/** What the API of a host that reboots tells. Waiting does not help against a token or a certificate that is refused. */
class ApiProbe {
  seen: ObservedBoot['api'] = null;
  /** The privileged daemon behind the proxy answers. */
  daemon = false;
  /** A connection was refused, cut or swallowed since the request. */
  lost = false;

  readonly #run: Run;
  readonly #longest: number;
  /** The quickest answer of all, milliseconds. */
  #quickest = SLOW_NETWORK;
  /** Questions in a row that were taken and not answered. */
  #swallowed = 0;

  constructor(run: Run, longest: number) {
    this.#run = run;
    this.#longest = longest;
  }

  /** @throws Fault for what the host denies, or the signal's reason */
  async ask(signal: AbortSignal): Promise<void> {
    const { pbs } = this.#run.host;
    const { clock } = this.#run;
    // The kernel repeats a lost attempt ever later; a new one does not wait for it.
    const takenMs = Math.max(PROBE_EVERY / 2, Math.round(this.#quickest / 4));
    // A host that has just come up may swallow a question, or be slow: each one gets twice as long as the last.
    const limit = Math.max(2 * takenMs, Math.min(PROBE_EVERY * 2 ** this.#swallowed, this.#longest));
    const asked = clock.monotonic();
    try {
      this.seen = await pbs.probe(limit, signal, takenMs);
      this.#quickest = Math.min(this.#quickest, clock.monotonic() - asked);
      this.#swallowed = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Fault) || error.denied !== null) throw error;
      this.seen = null;
      this.daemon = false;
      this.lost = true;
      const taken = (error instanceof ApiFault && error.timedOut) || clock.monotonic() - asked >= limit;
      this.#swallowed = taken ? this.#swallowed + 1 : 0;
      return;
    }
    this.daemon = await pbs.daemonAnswers(limit, signal).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
  }
}

/** A question that is asked again and again beside others, never twice at once. */
class Repeated<Answer> {
  /** The last answer; null for silence. */
  seen: Answer | null = null;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #ask: () => Promise<Answer>;
  #due = Number.NEGATIVE_INFINITY;
  #asked: Promise<void> | null = null;

  constructor(clock: Clock, everyMs: number, ask: () => Promise<Answer>) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#ask = ask;
  }

  /** Asks where it is time for it; does not wait for the answer. */
  turn(): void {
    if (this.#asked || this.#clock.monotonic() < this.#due) return;
    this.#asked = this.#ask()
      .catch(() => null)
      .then((answer) => {
        this.seen = answer;
        this.#asked = null;
        this.#due = this.#clock.monotonic() + this.#everyMs;
      });
  }

  async ended(): Promise<void> {
    await this.#asked;
  }
}

function describe(api: ApiProbe, vm: string | null, verdict: RebootVerdict = 'unknown'): string {
  if (verdict === 'rebooted')
    return api.daemon
      ? 'booted, API answers'
      : api.seen
        ? 'booted, proxy answers, daemon not yet'
        : 'booted, waiting for the API';
  const parts = [
    api.lost ? 'connection lost' : 'still up',
    ...(vm ? [`VM ${vm}`] : []),
    ...(api.seen ? ['API answers'] : []),
  ];
  return parts.join(', ');
}

/** What may keep a silent host from coming back: known from before, or seen now. */
function remarks(
  api: ApiProbe,
  verdict: RebootVerdict,
  causes: readonly string[],
  lost: string | null,
): readonly string[] {
  if (verdict === 'rebooted') return lost === null ? [] : [lost];
  return api.lost && !api.seen ? causes : [];
}

function notDown(run: Run, waited: number): Fault {
  const { host } = run.host.target;
  return new Fault(
    'reboot.not-down',
    `${host} did not go down within ${formatDuration(waited)} of the reboot request; the request is not repeated.`,
    {
      hint: `See its console and what hangs: pbs-ctl recover --host ${host}. Once it has rebooted: pbs-ctl patch --host ${host}. To give the run up: pbs-ctl patch --host ${host} --abandon`,
    },
  );
}

function notBack(run: Run, state: string): Fault {
  const { host, policy } = run.host.target;
  return new Fault(
    'reboot.not-back',
    `${host} did not come back within ${formatDuration(policy.rebootTimeout)}: ${state}.`,
    {
      hint: [
        kernelRemark(changedBy(run.journal.state)),
        `See its console, mounts and services: pbs-ctl recover --host ${host}. Once it is up: pbs-ctl patch --host ${host}`,
      ]
        .filter(Boolean)
        .join(' '),
    },
  );
}
