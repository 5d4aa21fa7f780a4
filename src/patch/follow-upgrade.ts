import { Fault } from '../fault.js';
import type { UnitState } from '../guest/upgrade-unit.js';
import { poll } from '../poll.js';
import { type Run, step } from './run.js';
import type { UpgradeMethod, UpgradeResult } from './upgrade-method.js';
import { VmWatch } from './vm-watch.js';

/** How it is that the wait for an upgrade is over, and what is true of the packages. */
interface EndedUpgrade {
  readonly unit: Exclude<UnitState, { kind: 'running' }>;
  readonly result: UpgradeResult;
  /** What was written. */
  readonly lines: readonly string[];
}

/** The last lines of an upgrade that are kept in memory; all of them are in its log. */
const MOST_LINES = 20_000;
/** What the packages are like is asked at least so long, also where the upgrade has used up its time. */
const RESULT_MS = 60_000;

/**
 * Follows an upgrade that has begun, or may have: the unit and the packages say what became of it, and nothing
 * else does. While they cannot be asked, as while the agent restarts or systemd is upgraded itself, it is waited
 * for, and the VM is looked at meanwhile.
 * @throws Fault `upgrade.timeout` after `upgradeTimeout`, `upgrade.vm-stopped`; the reason of the second signal
 */
export async function followToItsEnd(run: Run, method: UpgradeMethod): Promise<EndedUpgrade> {
  return holding(run, async (deadline) => {
    const vm = new VmWatch(run);
    const said = new Lines();
    const look = () =>
      asking(run, vm, async () => {
        const seen = await method.observe();
        run.journal.keep('apt.log', seen.log);
        said.add(seen.log);
        if (seen.progress) step(run, 'upgrade', seen.progress.percent, seen.progress.text);
        return seen;
      });
    const unit = await until(run, deadline, async () => endOf(await look()));
    if (!unit) throw timedOut(run, method, vm);
    // What it has written since.
    if (unit.kind !== 'gone') while ((await look())?.log.length) {}
    const latest = Math.max(deadline, run.clock.monotonic() + RESULT_MS);
    const result = await until(run, latest, () => asking(run, vm, () => method.result()));
    if (!result) throw timedOut(run, method, vm);
    return { unit, result, lines: said.all() };
  });
}

/** What comes in pieces, which may end in the middle of a letter, as lines. */
class Lines {
  readonly #decoder = new TextDecoder();
  readonly #lines: string[] = [];
  #rest = '';

  add(piece: string | Uint8Array): void {
    const text = typeof piece === 'string' ? piece : this.#decoder.decode(piece, { stream: true });
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    this.#lines.push(...parts.filter((line) => line.trim() !== ''));
    if (this.#lines.length > MOST_LINES) this.#lines.splice(0, this.#lines.length - MOST_LINES);
  }

  all(): string[] {
    return this.#rest.trim() === '' ? this.#lines : [...this.#lines, this.#rest];
  }
}

/**
 * What has become of an upgrade that this process has not seen begin.
 * @returns false where it never has, nor will: no unit, no changed package
 */
export async function hasBegun(run: Run, method: UpgradeMethod): Promise<boolean> {
  return holding(run, async (deadline) => {
    const vm = new VmWatch(run);
    const unit = await until(run, deadline, async () => {
      const seen = await asking(run, vm, () => method.observe());
      return seen?.unit.kind === 'running' ? seen.unit : endOf(seen);
    });
    if (!unit) throw timedOut(run, method, vm);
    if (unit.kind !== 'gone') return true;
    const result = await until(run, deadline, () => asking(run, vm, () => method.result()));
    if (!result) throw timedOut(run, method, vm);
    return !changedNothing(result);
  });
}

export const changedNothing = ({ changes, audit }: UpgradeResult): boolean =>
  audit === '' && changes.upgraded.length + changes.installed.length + changes.removed.length === 0;

/** A first signal waits for it. */
async function holding<Value>(run: Run, act: (deadline: number) => Promise<Value>): Promise<Value> {
  const { interruption, clock, host } = run;
  const deadline = clock.monotonic() + host.target.policy.upgradeTimeout;
  interruption.hold({ what: 'the upgrade runs', leftMs: () => deadline - clock.monotonic() });
  try {
    return await act(deadline);
  } finally {
    interruption.release();
  }
}

const until = <Seen>(
  { clock, interruption, host }: Run,
  deadline: number,
  look: () => Promise<Seen | null>,
) =>
  poll(
    clock,
    {
      everyMs: host.target.policy.pollInterval,
      limitMs: deadline - clock.monotonic(),
      signal: interruption.signal,
    },
    look,
  );

function endOf(seen: { unit: UnitState; isSettled: boolean } | null): EndedUpgrade['unit'] | null {
  if (!seen || seen.unit.kind === 'running') return null;
  return seen.unit.kind === 'gone' && !seen.isSettled ? null : seen.unit;
}

/** A look that fails is normal: what is asked may just be restarting. */
async function asking<Seen>(run: Run, vm: VmWatch, ask: () => Promise<Seen>): Promise<Seen | null> {
  try {
    const seen = await ask();
    vm.answered();
    return seen;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    await vm.look();
    step(run, 'upgrade', null, vm.trouble ?? `no answer about it at the moment (${error.code})`);
    return null;
  }
}

function timedOut(run: Run, { name }: UpgradeMethod, vm: VmWatch): Fault {
  const { host } = run.host.target;
  const seen = 'The upgrade has not ended after upgradeTimeout';
  if (vm.trouble !== null)
    return new Fault(
      'upgrade.vm-halted',
      `${seen}: ${vm.trouble}, so nothing in it continues. Fence and lock stay.`,
      {
        hint: `See how it is:\npbs-ctl recover --host ${host}`,
      },
    );
  return new Fault('upgrade.timeout', `${seen}; ${name} continues, fence and lock stay.`, {
    hint: `pbs-ctl never kills a running dpkg. To attach again:\npbs-ctl patch --host ${host}`,
  });
}
