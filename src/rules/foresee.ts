import type { Policy } from '../config/schema.js';
import { isOwnFence } from '../fence/mark.js';
import { isEmptyPlan, type PackageChanges } from '../guest/apt.js';
import { installedKernels } from '../guest/kernels.js';
import type { RunState } from '../journal/state.js';
import { type Kernels, rebootDecision } from './reboot.js';

/** A run that the next `patch` continues. */
export type Unfinished = Pick<RunState, 'runId' | 'phase' | 'upgrade' | 'reboot'>;

interface Known {
  readonly clusters: readonly string[];
  readonly policy: Pick<Policy, 'fence' | 'reboot'>;
  readonly datastores: ReadonlyArray<{
    readonly name: string;
    readonly maintenance: { readonly type: string; readonly message: string | null } | null;
  }>;
  readonly plan: PackageChanges;
  readonly kernels: Kernels;
  /** An earlier run has left a reboot to the next one. */
  readonly owesReboot: boolean;
  readonly unfinished: Unfinished | null;
}

/** What a run would do if it began now, in its order, a line each. Pure. */
export function foreseen(known: Known): string[] {
  const { clusters, policy, datastores, plan, unfinished } = known;
  const lock = `take the lock of ${clusters.join(', ')}`;
  const goesOn = unfinished
    ? [`continue run ${unfinished.runId}, which stopped in phase "${unfinished.phase}"`]
    : [];
  if (unfinished && (unfinished.upgrade === 'begun' || unfinished.upgrade === 'done')) {
    return [
      ...goesOn,
      lock,
      ...(unfinished.upgrade === 'begun' ? ['see what became of its upgrade'] : []),
      unfinished.reboot ? 'not reboot again' : rebootLine(known),
      'verify, lift the fence, release the lock',
    ];
  }
  const isOurs = ({ maintenance }: Known['datastores'][number]) =>
    maintenance === null || (unfinished !== null && isOwnFence(maintenance, unfinished.runId));
  const free = datastores.filter(isOurs).map(({ name }) => name);
  const others = datastores.flatMap((each) =>
    each.maintenance === null || isOurs(each)
      ? []
      : [`leave ${each.name} ${each.maintenance.type}, as another user has set it`],
  );
  const fences = policy.fence !== 'none';
  return [
    ...goesOn,
    lock,
    ...(fences && free.length > 0 ? [`set ${free.join(', ')} read-only`] : []),
    ...(fences ? others : ['set no datastore read-only (policy.fence "none")']),
    'refresh the package lists',
    isEmptyPlan(plan) ? 'upgrade nothing, unless the refresh finds something' : 'upgrade the packages above',
    rebootLine(known),
    `verify, ${fences && free.length > 0 ? 'lift the fence, ' : ''}release the lock`,
  ];
}

/** By the decision that the run takes once the packages are in. */
function rebootLine({ policy: { reboot: mode }, plan, kernels, owesReboot }: Known): string {
  const installed = [...kernels.installed, ...installedKernels(plan.installed.map(({ name }) => name))];
  const { reboot, why } = rebootDecision(mode, { changes: plan, owesReboot }, { ...kernels, installed });
  if (mode === 'always' || mode === 'never')
    return `${reboot ? 'reboot once' : 'not reboot'} (policy.reboot "${mode}")`;
  return `${reboot ? 'reboot once' : 'not reboot'}, as by then ${why} (policy.reboot "${mode}")`;
}
