import type { Boot } from '../journal/records.js';
import type { RunState } from '../journal/state.js';

/** Clocks are stepped at boot: boot times that differ by less may be of one boot. Seconds. */
const TOLERANCE = 30;

/**
 * Whether the machine went back to before a run that has changed its packages, as a VM does that is rolled back to a
 * snapshot: another boot than the last one that the run knows, and none of what it installed is installed. Pure.
 * @param installed package → version; without a guest only those of PBS
 */
export function isRolledBack(
  { changes, bootBefore, bootAfter }: Pick<RunState, 'changes' | 'bootBefore' | 'bootAfter'>,
  { boot, installed }: { readonly boot: Boot; readonly installed: ReadonlyMap<string, string> },
): boolean {
  const known = bootAfter ?? bootBefore?.boot;
  if (!changes || !known || !isOther(known, boot)) return false;
  const isThere = ({ name, to }: { readonly name: string; readonly to: string }) =>
    installed.get(name) === to;
  if ([...changes.upgraded, ...changes.installed].some(isThere)) return false;
  return changes.upgraded.some(({ name }) => installed.has(name));
}

const isOther = (known: Boot, now: Boot): boolean =>
  known.bootId !== null && now.bootId !== null
    ? known.bootId !== now.bootId
    : Math.abs(known.bootTime - now.bootTime) > TOLERANCE;
