import { byCommand, byFlag, type Step } from '../rules/steps.js';
import { atWork, LAYERS, list, type Trouble } from './layers.js';
import type { ObservedHost } from './observed.js';

export interface Diagnosis extends Trouble {
  readonly healthy: boolean;
}

/** What is wrong, and what to do in which order. Pure. */
export function diagnose(observed: ObservedHost): Diagnosis {
  const ends = looseEnds(observed);
  for (const layer of LAYERS) {
    const trouble = layer(observed);
    if (!trouble) continue;
    // Fence and lock of a run at work are not left behind.
    const later = layer === atWork ? [] : ends.map(afterwards);
    return { healthy: false, problem: trouble.problem, steps: [...trouble.steps, ...later] };
  }
  const [run] = [...observed.fences, ...observed.locks].map((each) => each.run);
  if (run !== undefined)
    return {
      healthy: true,
      problem: `${observed.host} is well; run ${run} has left ${remains(observed)} behind.`,
      steps: ends,
    };
  const [unknown] = observed.unknownLocks;
  if (unknown)
    return {
      healthy: true,
      problem: `${observed.host} is well; whether its lock in cluster "${unknown.cluster}" is held is not known.`,
      steps: [
        byCommand('Look again once the cluster answers.', `pbs-ctl lock show --cluster ${unknown.cluster}`),
      ],
    };
  return { healthy: true, problem: `Nothing is wrong with ${observed.host}.`, steps: [] };
}

const afterwards = ({ text, flag, command }: Step): Step => ({ text: `Afterwards: ${text}`, flag, command });

const remains = ({ fences, locks }: ObservedHost): string =>
  [fences.length > 0 ? 'its fence' : '', locks.length > 0 ? 'its lock' : ''].filter(Boolean).join(' and ');

/** What a run has left behind. A run that is continued undoes it, once verify passes. */
function looseEnds({ host, fences, locks, unfinishedRun }: ObservedHost): Step[] {
  if (fences.length + locks.length === 0) return [];
  if (unfinishedRun !== null)
    return [
      byCommand(
        `Continue run ${unfinishedRun}: it verifies, lifts its fence and releases its lock.`,
        `pbs-ctl patch --host ${host}`,
      ),
    ];
  return [
    ...(fences.length > 0
      ? [byFlag(`Lift the fence on ${list(fences.map(({ datastore }) => datastore))}.`, 'lift-fence')]
      : []),
    ...(locks.length > 0
      ? [byFlag(`Release the lock of ${list(locks.map(({ cluster }) => cluster))}.`, 'release-lock')]
      : []),
  ];
}
