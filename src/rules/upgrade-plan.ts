import type { Policy } from '../config/schema.js';
import type { PackageChanges } from '../guest/apt.js';
import { isAmong, PROTECTED } from '../guest/protected.js';

/** What no plan may remove on a host. */
export const protectedOn = (
  { protectedPackages }: Pick<Policy, 'protectedPackages'>,
  carriers: readonly string[],
): ((name: string) => boolean) => {
  const patterns = [...PROTECTED, ...protectedPackages, ...carriers];
  return (name) => isAmong(name, patterns);
};

/** Why a plan is never carried out, whatever was approved. */
interface Refusal {
  readonly code: 'upgrade.removes-protected' | 'upgrade.major-release';
  readonly message: string;
  readonly hint: string;
}

/** @returns null where nothing speaks against the plan but, perhaps, that it needs approval */
export function refusalOf(plan: PackageChanges, isProtected: (name: string) => boolean): Refusal | null {
  const lost = plan.removed.filter(({ name }) => isProtected(name)).map(({ name }) => name);
  if (lost.length > 0)
    return {
      code: 'upgrade.removes-protected',
      message: `The upgrade would remove ${lost.join(', ')}, which must stay.`,
      hint: 'Look at the repositories and held packages of the host: usually a half-switched release or a broken mirror.',
    };
  const major = plan.upgraded.find(
    ({ name, from, to }) => OF_A_RELEASE.has(name) && majorOf(from) !== majorOf(to),
  );
  if (!major) return null;
  const source = major.origin ? ` It comes from ${major.origin}.` : '';
  return {
    code: 'upgrade.major-release',
    message: `The upgrade would be one to another major release: ${major.name} ${major.from} -> ${major.to}.${source}`,
    hint: 'pbs-ctl does not upgrade to another major release. Remove the repository of that release from the host, or follow the upgrade guide by hand.',
  };
}

/** What tells the release of the product and that of the Debian underneath. */
const OF_A_RELEASE = new Set(['proxmox-backup-server', 'base-files']);
const majorOf = (version: string) => /^(?:\d+:)?(\d+)/.exec(version)?.[1];

/** Why a plan needs `--plan`, a reason each; empty where it does not. */
export function approvalsFor(
  plan: Pick<PackageChanges, 'removed'>,
  { removals }: Pick<Policy, 'removals'>,
): string[] {
  if (removals === 'allow') return [];
  return plan.removed.flatMap(({ name, by }) => (by === 'upgrade' ? [`removes ${name}`] : []));
}

/** Whether a plan is what is left of another: then the approval of that one holds for it. */
export function isRestOf(rest: PackageChanges, whole: PackageChanges): boolean {
  const versions = new Map([...whole.upgraded, ...whole.installed].map(({ name, to }) => [name, to]));
  const going = new Map(whole.removed.map(({ name, by }) => [name, by]));
  return (
    [...rest.upgraded, ...rest.installed].every(({ name, to }) => versions.get(name) === to) &&
    rest.removed.every(({ name, by }) => by === 'autoremove' || going.get(name) === by)
  );
}

/** Packages that are gone and should not be, each with the reason. */
export function lostPackages(
  { removed }: Pick<PackageChanges, 'removed'>,
  planned: Pick<PackageChanges, 'removed'> | null,
  isProtected: (name: string) => boolean,
): string[] {
  const inPlan = new Set(planned?.removed.map(({ name }) => name));
  return removed.flatMap(({ name }) => {
    if (isProtected(name)) return [`${name} (protected)`];
    return inPlan.has(name) ? [] : [`${name} (not in the plan)`];
  });
}
