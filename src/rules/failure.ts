import type { Outcome } from '../config/schema.js';
import { isEmptyPlan } from '../guest/apt.js';
import type { RunState } from '../journal/state.js';
import { isLater, outcomeOf } from './outcome.js';

/** What a failed phase takes back and what it leaves. */
interface Consequence {
  /** Fence and lock are taken back; otherwise they stay, and the next run continues this one. */
  readonly takesBack: boolean;
  readonly outcome: Outcome;
  /** It is asked first whether something holds back the fence: the host has changed, and nothing has verified it. */
  readonly looksFirst: boolean;
  /** What is on the console of the VM is kept: it may show what became of the host. */
  readonly keepsConsole: boolean;
}

/** How far a run has come with its host. */
type Standing =
  /** Nothing has changed on it. */
  | 'untouched'
  /** Its upgrade runs, or has failed halfway. */
  | 'upgrading'
  /** Its packages have changed, and no reboot was requested. */
  | 'upgraded'
  /** A reboot was requested. */
  | 'rebooting';

/** What stopped it: `later` is over by itself, such as a check that says no right before the reboot. */
type Cause = 'later' | 'interrupted' | 'lasting';

type Row = Pick<Consequence, 'takesBack'> & Partial<Consequence>;
const TAKEN_BACK: Row = { takesBack: true };
const LEFT: Row = { takesBack: false };

const CONSEQUENCES: Readonly<Record<Standing, Readonly<Record<Cause, Row>>>> = {
  untouched: { later: TAKEN_BACK, interrupted: TAKEN_BACK, lasting: TAKEN_BACK },
  upgrading: { later: LEFT, interrupted: LEFT, lasting: LEFT },
  // The host runs with what is installed: the next run reboots.
  upgraded: {
    later: { takesBack: true, looksFirst: true, outcome: 'reboot-pending' },
    interrupted: LEFT,
    lasting: LEFT,
  },
  rebooting: { later: LEFT, interrupted: LEFT, lasting: { takesBack: false, keepsConsole: true } },
};

export function consequenceOf(
  state: Pick<RunState, 'upgrade' | 'changes' | 'reboot'>,
  error: unknown,
): Consequence {
  const byError = outcomeOf(error);
  const cause = isLater(error) ? 'later' : byError === 'interrupted' ? 'interrupted' : 'lasting';
  const row = CONSEQUENCES[standingOf(state)][cause];
  return { outcome: byError, looksFirst: false, keepsConsole: false, ...row };
}

/** The same where something was found that holds back the fence: a person has to look. */
export const heldBack = (consequence: Consequence): Consequence => ({
  ...consequence,
  takesBack: false,
  outcome: 'failed',
});

function standingOf({ upgrade, changes, reboot }: Parameters<typeof consequenceOf>[0]): Standing {
  if (reboot !== null) return 'rebooting';
  if (upgrade === 'not-begun') return 'untouched';
  if (upgrade !== 'done') return 'upgrading';
  return changes === null || isEmptyPlan(changes) ? 'untouched' : 'upgraded';
}
