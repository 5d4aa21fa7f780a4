import { EXIT, Fault } from '../fault.js';
import { brokenPackages } from '../guest/apt.js';
import type { RecoverFlag } from '../rules/steps.js';
import type { ObservedHost } from './observed.js';

/** Flags after which backups continue, or other maintenance may begin. */
const RESUMES: readonly RecoverFlag[] = ['lift-fence', 'release-lock'];
/** Flags that would disturb a running upgrade. */
const DISTURBS: readonly RecoverFlag[] = [
  'reset-vm',
  'restart-services',
  'mount',
  'repair-packages',
  ...RESUMES,
];

/**
 * Why a flag is refused, or null: a running upgrade, a failing verification, or a run that may be at work
 * elsewhere. `--force` overrides it. Pure.
 */
export function objection(flag: RecoverFlag, observed: ObservedHost): Fault | null {
  const { host, inside, verification, locks, runs } = observed;
  const [upgrading] = inside?.upgrading ?? [];
  if (upgrading !== undefined && DISTURBS.includes(flag))
    return refused(
      flag,
      `the upgrade of run ${upgrading} still runs inside ${host}`,
      'Wait until it has ended.',
    );
  if (!RESUMES.includes(flag)) return null;
  if (!verification?.ok) {
    const blocks = verification?.findings.filter(({ status }) => status === 'block') ?? [];
    const why = blocks.map(({ summary }) => summary).join('; ') || 'it does not answer';
    return refused(flag, `${host} does not pass verification: ${why}`, 'Fix that first.');
  }
  const elsewhere = locks.find((lock) => !lock.expired && !runs.some(({ run }) => run === lock.run));
  if (elsewhere)
    return refused(
      flag,
      `run ${elsewhere.run}, which is not from this machine, holds its lock until ${elsewhere.until} and may still be at work`,
      'Make sure that it has ended.',
    );
  return null;
}

/** What to ask before a dangerous flag; null for the others. Pure. */
export function question(flag: RecoverFlag, observed: ObservedHost): string | null {
  if (flag !== 'reset-vm') return null;
  const what = observed.proxy === 'answers' ? ' It answers at the moment.' : '';
  return `Resetting VM ${observed.vm?.vmid ?? ''} of ${observed.host} is like pulling the plug.${what} Reset it?`;
}

export const unanswered = () =>
  new Fault('usage.yes', 'The VM was not reset: the prompt was not confirmed.', {
    hint: 'Repeat the command with --yes.',
    exitCode: EXIT.usage,
  });

const refused = (flag: RecoverFlag, why: string, hint: string) =>
  new Fault('recover.refused', `--${flag} is refused: ${why}.`, {
    hint: `${hint} To override this, add --force.`,
  });

/** What the flag did not achieve; null if it worked. Pure. */
export function shortfall(flag: RecoverFlag, now: ObservedHost): string | null {
  const { vm, inside, servicesDown, fences, locks } = now;
  switch (flag) {
    case 'start-vm':
    case 'reset-vm':
      if (vm?.status !== 'running') return `the VM is ${vm?.status ?? 'in an unknown state'}`;
      return now.agent === 'silent' && now.proxy === 'silent' ? 'the host does not answer' : null;
    case 'mount':
      if (!inside) return 'the guest agent does not report what is mounted';
      return inside.missingMounts.length > 0 ? `still not mounted: ${inside.missingMounts.join(', ')}` : null;
    case 'repair-packages':
      if (!inside) return 'the guest agent does not report how the packages are';
      return inside.audit === ''
        ? null
        : `still half done: ${brokenPackages(inside.audit).join(', ') || inside.audit}`;
    case 'restart-services': {
      const down = [...new Set([...(inside?.failedUnits ?? []), ...servicesDown])];
      if (down.length > 0) return `still down: ${down.join(', ')}`;
      return now.proxy === 'silent' ? 'the API does not answer' : null;
    }
    case 'lift-fence':
      return fences.length > 0
        ? `still fenced: ${fences.map(({ datastore }) => datastore).join(', ')}`
        : null;
    case 'release-lock':
      if (now.unknownLocks.length > 0)
        return `whether the lock of ${now.unknownLocks.map(({ cluster }) => cluster).join(', ')} is held is not known`;
      return locks.length > 0 ? `still locked: ${locks.map(({ cluster }) => cluster).join(', ')}` : null;
  }
}
