import { EXIT, Fault } from '../fault.js';
import type { Sight } from './sight.js';
import type { RecoverFlag } from './step.js';

/** Flags that let backups go on, or another maintenance begin. */
const RESUMES: readonly RecoverFlag[] = ['lift-fence', 'release-lock'];
/** Flags that would take the ground from under a running upgrade. */
const DISTURBS: readonly RecoverFlag[] = ['reset-vm', 'restart-services', 'mount', ...RESUMES];

/**
 * Why a flag is not carried out, or null. Pure.
 * A running upgrade, a failing verification and a run that may still be at work elsewhere are reasons; `--force` overrides them.
 */
export function objection(flag: RecoverFlag, sight: Sight): Fault | null {
  const { host, inside, verification, locks, runs } = sight;
  const [upgrading] = inside?.upgrading ?? [];
  if (upgrading !== undefined && DISTURBS.includes(flag))
    return refused(
      flag,
      `the upgrade of run ${upgrading} still goes on inside ${host}`,
      'Wait until it has ended.',
    );
  if (!RESUMES.includes(flag)) return null;
  if (!verification?.ok) {
    const blocks = verification?.findings.filter(({ status }) => status === 'block') ?? [];
    const why = blocks.map(({ summary }) => summary).join('; ') || 'it cannot be asked';
    return refused(flag, `${host} does not pass verification: ${why}`, 'Mend that first.');
  }
  const elsewhere = locks.find((lock) => !lock.expired && !runs.some(({ run }) => run === lock.run));
  if (elsewhere)
    return refused(
      flag,
      `run ${elsewhere.run} is not known here and holds its lock until ${elsewhere.until}: it may be at work on another machine`,
      'Make sure that it has ended.',
    );
  return null;
}

/** What a person is asked before a flag is carried out; null where nothing is dangerous about it. Pure. */
export function question(flag: RecoverFlag, sight: Sight): string | null {
  if (flag !== 'reset-vm') return null;
  const what = sight.proxy === 'answers' ? ' It answers at the moment!' : '';
  return `Resetting VM ${sight.vm?.vmid ?? ''} of ${sight.host} is like pulling the plug.${what} Do it?`;
}

export const unanswered = () =>
  new Fault('usage.yes', 'The VM was not reset: nobody said yes.', {
    hint: 'Repeat the command with --yes.',
    exitCode: EXIT.usage,
  });

const refused = (flag: RecoverFlag, why: string, hint: string) =>
  new Fault('recover.refused', `--${flag} is refused: ${why}.`, {
    hint: `${hint} To do it all the same: --force.`,
  });
