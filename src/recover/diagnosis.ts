import { agentOnly, api, apiAnswers, datastores, difference } from './layers-pbs.js';
import { atWork, insides, node, silence, vm } from './layers-vm.js';
import type { Sight } from './sight.js';
import { byCommand, byFlag, type Diagnosis, list, type Step, type Trouble } from './step.js';

/** From outside in: the first layer that is not well explains those within it. */
const LAYERS: ReadonlyArray<(sight: Sight) => Trouble | null> = [
  atWork,
  node,
  vm,
  silence,
  insides,
  api,
  apiAnswers,
  datastores,
  agentOnly,
  difference,
];

/** What is wrong, what to do in which order, and which of it a flag can do. Pure. */
export function diagnose(sight: Sight): Diagnosis {
  const ends = looseEnds(sight);
  for (const layer of LAYERS) {
    const trouble = layer(sight);
    if (!trouble) continue;
    // While a run is at work, what it has put up is no loose end.
    const later = layer === atWork ? [] : ends.map(afterwards);
    return { healthy: false, problem: trouble.problem, steps: [...trouble.steps, ...later] };
  }
  const [run] = [...sight.fences, ...sight.locks].map((each) => each.run);
  if (run !== undefined)
    return {
      healthy: true,
      problem: `${sight.host} is well; run ${run} has left ${remains(sight)} behind.`,
      steps: ends,
    };
  return { healthy: true, problem: `Nothing is wrong with ${sight.host}.`, steps: [] };
}

const afterwards = ({ text, flag, command }: Step): Step => ({ text: `Afterwards: ${text}`, flag, command });

const remains = ({ fences, locks }: Sight): string =>
  [fences.length > 0 ? 'its fence' : '', locks.length > 0 ? 'its lock' : ''].filter(Boolean).join(' and ');

/** What a run has left behind. One that can be gone on with takes it back itself, once verify passes. */
function looseEnds({ host, fences, locks, unfinishedRun }: Sight): Step[] {
  if (fences.length + locks.length === 0) return [];
  if (unfinishedRun !== null)
    return [
      byCommand(
        `Go on with run ${unfinishedRun}: it verifies, lifts its fence and gives back its lock.`,
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
