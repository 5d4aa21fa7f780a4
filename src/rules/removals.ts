import type { PackageChanges } from '../guest/apt.js';

/** Packages that are gone and should not be, each with the reason. Pure. */
export function lostPackages(
  { removed }: Pick<PackageChanges, 'removed'>,
  planned: Pick<PackageChanges, 'removed'> | null,
  protectedPackages: readonly string[],
): string[] {
  const inPlan = new Set(planned?.removed.map(({ name }) => name));
  return removed.flatMap(({ name }) => {
    if (protectedPackages.includes(name)) return [`${name} (protected)`];
    return inPlan.has(name) ? [] : [`${name} (not in the plan)`];
  });
}
