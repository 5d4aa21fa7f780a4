import type { Policy } from '../config/schema.js';
import type { Finding } from '../journal/document.js';

/**
 * The moments of a run at which checks are asked. They are the same for a fresh run, for one that is resumed and
 * for one that attaches to its upgrade, whatever the upgrade method.
 */
export const ROUNDS = ['preflight', 'recheck', 'drain', 'upgrade', 'reboot', 'unfence'] as const;
export type Round = (typeof ROUNDS)[number];

/** What lets a run continue although a check blocks. */
export type Softener =
  /** `--ignore-window REASON`: a person answers for the time. Never for tasks, locks or health. */
  | 'ignore-window'
  /** `policy.drainTimeout`: it is waited for under the fence. */
  | 'drain'
  /** `--plan DIGEST`: the plan that needs approval has it; `--check` shows what it needs. */
  | 'plan';

/** When a check is asked and what its answer is worth. */
export interface Rules {
  /**
   * `upgrade` and `reboot` are the gates before the two irreversible steps, `unfence` is asked before the fence of
   * a run that has upgraded is lifted without a verification. A run that is resumed after its upgrade has only
   * these left, so what must hold for it is asked in them.
   */
  readonly rounds: readonly Round[];
  /** Rounds that share its verdict for up to a minute, unless it blocks. The gates ask afresh. */
  readonly lasting?: ReadonlyArray<'preflight' | 'recheck'>;
  readonly softenedBy?: Softener;
  /** Rounds in which it is asked once all others have answered: it counts what they ask, and is to be newest. */
  readonly last?: ReadonlyArray<'upgrade' | 'reboot'>;
}

/** In every look at the whole: what blocks `preflight` blocks both gates. */
export const ALWAYS = ['preflight', 'recheck', 'upgrade', 'reboot'] as const;
/** Also in each round of the drain, in which schedules, locks and tags may change. */
export const ALSO_DRAINING = ['preflight', 'recheck', 'drain', 'upgrade', 'reboot'] as const;
/** What only an upgrade needs. */
export const UNTIL_UPGRADED = ['preflight', 'recheck', 'upgrade'] as const;
/** Before each step that cannot be taken back. */
export const GATES = ['upgrade', 'reboot'] as const;
/** For answers that change rarely. */
export const A_MINUTE = ['preflight', 'recheck'] as const;

/** What is known of the time of a run. Milliseconds. */
interface Elapsed {
  /** Since it began to work on the host: since its drain was over, or since it began. */
  readonly worked?: number;
  /** How long the drain may still last; 0 where nothing is there to drain. */
  readonly drainLeft?: number;
}

/**
 * How long from now on the run still takes, in seconds: what has to fit, with the margin, before the next job.
 * Before the reboot that is what is left of `maintenanceDuration`, and at least the third that a reboot may take.
 */
export function timeNeeded(
  round: Round,
  { maintenanceDuration }: Pick<Policy, 'maintenanceDuration'>,
  { worked = 0, drainLeft = 0 }: Elapsed = {},
): number {
  const rest =
    round === 'reboot'
      ? Math.max(maintenanceDuration - worked, maintenanceDuration / 3)
      : maintenanceDuration + drainLeft;
  return rest / 1000;
}

type Judged = Pick<Finding, 'status' | 'detail'>;

/** Blocks because of what was seen, not because nothing could be seen. */
export const isSeen = ({ status, detail }: Judged): boolean =>
  status === 'block' && detail.error === undefined;

/** `ask-again`: all that blocks could not be determined, as when a daemon restarts just then. */
type GateVerdict = 'open' | 'ask-again' | 'closed';

export function gateVerdict(findings: readonly Judged[]): GateVerdict {
  const blocks = findings.filter(({ status }) => status === 'block');
  if (blocks.length === 0) return 'open';
  return blocks.some(isSeen) ? 'closed' : 'ask-again';
}
