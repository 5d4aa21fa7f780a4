import { byCommand, byFlag, type Step } from '../rules/steps.js';
import { LAYERS } from './layers.js';
import { atWork, rebooting } from './layers-of-vm.js';
import type { ObservedHost } from './observed.js';
import { list, type Trouble } from './trouble.js';

export interface Diagnosis extends Trouble {
  readonly healthy: boolean;
}

/** What is wrong, and what to do in which order. Pure. */
export function diagnose(observed: ObservedHost): Diagnosis {
  const { host } = observed;
  const ends = looseEnds(observed);
  for (const layer of LAYERS) {
    const trouble = layer(observed);
    if (!trouble) continue;
    // Fence and lock of a run at work are not left behind; that of a reboot names what ends it.
    const later =
      layer === atWork || layer === rebooting ? [] : isOnceSettled(observed) ? ends : ends.map(afterwards);
    const { problem, steps, last = [] } = trouble;
    return { healthy: false, problem, steps: [...steps, ...later, ...last] };
  }
  const well = (problem: string, steps: readonly Step[]): Diagnosis => ({
    healthy: true,
    problem: `${host} is well; ${problem}`,
    steps,
  });
  const { unfinishedRun, resumption } = observed;
  const [run] = [...observed.fences, ...observed.locks].map((each) => each.run);
  if (isOpen(observed) && resumption?.kind === 'blocked')
    return well(`run ${unfinishedRun} cannot go on now: ${resumption.why}.`, ends);
  if (resumption?.kind === 'closes')
    return well(`it was rolled back to before run ${unfinishedRun}, of which nothing is left in it.`, [
      byCommand('Close that run; what it has left elsewhere is undone.', `pbs-ctl patch --host ${host}`),
    ]);
  if (run !== undefined) return well(`run ${run} has left ${remains(observed)} behind.`, ends);
  if (isOpen(observed)) return well(`run ${unfinishedRun} has not come to its end.`, ends);
  const [unknown] = observed.unknownLocks;
  if (unknown)
    return well(`whether its lock in cluster "${unknown.cluster}" is held is not known.`, [
      byCommand('Look again once the cluster answers.', `pbs-ctl lock show --cluster ${unknown.cluster}`),
    ]);
  return { healthy: true, problem: `Nothing is wrong with ${host}.`, steps: [] };
}

/** A run that the next `patch` continues, and that has left something or never came to its end. */
function isOpen({ unfinishedRun, fences, locks, runs }: ObservedHost): boolean {
  if (unfinishedRun === null) return false;
  const outcome = runs.find(({ run }) => run === unfinishedRun)?.outcome ?? null;
  return fences.length + locks.length > 0 || outcome === null;
}

/** Its step says by itself when it comes. */
const isOnceSettled = (observed: ObservedHost): boolean =>
  isOpen(observed) && observed.resumption?.kind === 'blocked';

const afterwards = ({ text, flag, command }: Step): Step => ({ text: `Afterwards: ${text}`, flag, command });

const remains = ({ fences, locks }: ObservedHost): string =>
  [fences.length > 0 ? 'its fence' : '', locks.length > 0 ? `its ${lockWord(locks)}` : '']
    .filter(Boolean)
    .join(' and ');

const lockWord = (locks: ObservedHost['locks']) =>
  locks.every(({ expired }) => expired) ? 'lock, which has expired,' : 'lock';

/** What a run has left behind. A run that is continued undoes it, once verify passes. */
function looseEnds(observed: ObservedHost): Step[] {
  const { host, fences, locks, unfinishedRun, resumption } = observed;
  if (isOpen(observed)) {
    const means = resumption && 'means' in resumption ? resumption.means : 'it verifies and ends';
    const patch = `pbs-ctl patch --host ${host}`;
    if (resumption?.kind !== 'blocked') return [byCommand(`Resume run ${unfinishedRun}: ${means}.`, patch)];
    return [
      byCommand(
        `${resumption.passes ? 'Once that is over' : 'Once that is settled'}, resume run ${unfinishedRun}: ${means}.`,
        patch,
      ),
      byCommand('Or give it up; its fence comes down only where verify passes.', `${patch} --abandon`),
    ];
  }
  return [
    ...(fences.length > 0
      ? [byFlag(`Lift the fence on ${list(fences.map(({ datastore }) => datastore))}.`, 'lift-fence')]
      : []),
    ...(locks.length > 0
      ? [byFlag(`Release the lock of ${list(locks.map(({ cluster }) => cluster))}.`, 'release-lock')]
      : []),
  ];
}
