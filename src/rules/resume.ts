import { formatDuration } from '../config/quantity.js';
import type { Policy } from '../config/schema.js';
import type { Finding } from '../journal/document.js';
import type { RunState } from '../journal/state.js';
import type { RebootVerdict } from './boot.js';
import type { Round } from './rounds.js';

type Progress = Pick<RunState, 'runId' | 'phase' | 'upgrade' | 'reboot'>;

/** What is known of an unfinished run and of its host right now. */
export interface Stopped {
  readonly run: Progress;
  readonly policy: Pick<Policy, 'rebootTimeout' | 'reboot'>;
  /** Against the boot before its reboot, or before its upgrade. */
  readonly boot: RebootVerdict;
  /** Since it requested its reboot, milliseconds; null where it has not. */
  readonly sinceRequestMs: number | null;
  /** What the checks of the round say in which it goes on, see {@link roundToResume}. */
  readonly findings: readonly Finding[];
  readonly rolledBack: boolean;
  /** Whether verify passes, with what this run expects; null where it cannot be asked. */
  readonly verified: boolean | null;
}

/** Whether the next `patch` ends the run well. */
export type Resumption =
  /** `means`: what that does. */
  | { readonly kind: 'resume'; readonly means: string }
  /** The machine went back to before it, as to a snapshot: the next `patch` closes it. */
  | { readonly kind: 'closes' }
  /** It reboots just now. */
  | { readonly kind: 'wait'; readonly why: string }
  /** It has requested its reboot, and nothing happened: a request is never repeated. */
  | { readonly kind: 'swallowed'; readonly why: string }
  /** Something speaks against it. `passes`: it is over by itself. `means`: what resuming does then. */
  | { readonly kind: 'blocked'; readonly why: string; readonly passes: boolean; readonly means: string };

/** The round of checks that decides whether a run can go on; null where only its verification is left. */
export function roundToResume(
  { upgrade, reboot }: Progress,
  boot: RebootVerdict,
  { reboot: mode }: Pick<Policy, 'reboot'>,
): Extract<Round, 'preflight' | 'reboot'> | null {
  if (upgrade !== 'done') return 'preflight';
  return reboot !== null || boot === 'rebooted' || mode === 'never' ? null : 'reboot';
}

/** Pure: the rules that `patch` goes by, over the same facts. */
export function resumptionOf(stopped: Stopped): Resumption {
  const { run, policy, boot, findings, verified, rolledBack } = stopped;
  const { reboot } = run;
  if (rolledBack) return { kind: 'closes' };
  if (reboot !== null && reboot.upAt === null && boot !== 'rebooted') return awaited(stopped);
  const means = meaning(run, roundToResume(run, boot, policy));
  const blocks = findings.filter(({ status }) => status === 'block');
  if (blocks.length > 0) {
    const why = blocks.map(({ id, summary }) => `${id}: ${summary}`).join('; ');
    return { kind: 'blocked', why, passes: blocks.every(isPassing), means };
  }
  if (roundToResume(run, boot, policy) === null && verified !== true) {
    const why = verified === null ? 'it cannot be verified now' : 'it does not pass verification';
    return { kind: 'blocked', why, passes: false, means };
  }
  return { kind: 'resume', means };
}

/** Its reboot was requested and has not been seen. */
function awaited({ run, policy, boot, sinceRequestMs }: Stopped): Resumption {
  const since = Math.max(0, Math.round((sinceRequestMs ?? 0) / 1000) * 1000);
  const limit = boot === 'not-rebooted' ? policy.rebootTimeout / 4 : policy.rebootTimeout;
  const ago = `its reboot was requested ${formatDuration(since)} ago`;
  if (since < limit)
    return {
      kind: 'wait',
      why: `${ago}, limit ${formatDuration(policy.rebootTimeout)}: wait`,
    };
  if (boot === 'not-rebooted')
    return { kind: 'swallowed', why: `${ago}, and it still runs in the boot of before` };
  return {
    kind: 'blocked',
    why: `${ago}, and it has not come back within ${formatDuration(policy.rebootTimeout)}`,
    passes: false,
    means: meaning(run, null),
  };
}

function meaning({ upgrade }: Progress, round: ReturnType<typeof roundToResume>): string {
  const end = 'verifies, lifts its fence and releases its lock';
  if (round === null) return `it ${end}`;
  if (round === 'reboot') return `it reboots the host, ${end}`;
  if (upgrade === 'begun') return `it sees what became of its upgrade, reboots the host, ${end}`;
  return `it checks everything again, upgrades and reboots the host, ${end}`;
}

/** Time alone, or the end of what others do, settles it. */
const isPassing = ({ id, retryAfter }: Finding): boolean => retryAfter !== null || PASSES[id] === true;

const PASSES: Readonly<Partial<Record<Finding['id'], true>>> = {
  'pbs.tasks': true,
  'pbs.jobs': true,
  'pve.backups': true,
  'pve.schedule': true,
  'pve.patching': true,
  'policy.window': true,
  'lock.available': true,
};
