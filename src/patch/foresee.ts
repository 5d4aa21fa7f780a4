import type { Datastore } from '../api/pbs.js';
import type { Policy } from '../config/schema.js';
import { isEmptyPlan } from '../guest/apt.js';
import type { PackageChanges } from '../report/document.js';

interface Known {
  readonly clusters: readonly string[];
  readonly policy: Pick<Policy, 'fence' | 'reboot'>;
  readonly datastores: readonly Pick<Datastore, 'name' | 'maintenance'>[];
  readonly plan: PackageChanges;
}

/** What a run would do if it began now, in its order, a line each. Pure. */
export function foreseen({ clusters, policy, datastores, plan }: Known): string[] {
  const free = datastores.filter(({ maintenance }) => maintenance === null).map(({ name }) => name);
  const others = datastores.flatMap(({ name, maintenance }) =>
    maintenance === null ? [] : [`leave ${name} ${maintenance.type}, as somebody else has set it`],
  );
  const fences = policy.fence !== 'none';
  const reboot = REBOOT[policy.reboot](!isEmptyPlan(plan));
  return [
    `take the lock of ${clusters.join(', ')}`,
    ...(fences && free.length > 0 ? [`set ${free.join(', ')} read-only`] : []),
    ...(fences ? others : ['set no datastore read-only (policy.fence "none")']),
    isEmptyPlan(plan) ? 'upgrade nothing' : 'upgrade the packages above',
    reboot,
    `verify, ${fences && free.length > 0 ? 'lift the fence, ' : ''}give the lock back`,
  ];
}

const REBOOT: Readonly<Record<Policy['reboot'], (changes: boolean) => string>> = {
  always: () => 'reboot once (policy.reboot "always")',
  'after-upgrade': (changes) =>
    changes ? 'reboot once (policy.reboot "after-upgrade")' : 'not reboot, since nothing would be upgraded',
  'when-required': () =>
    'reboot once if the kernel or what was upgraded asks for it (policy.reboot "when-required")',
  never: () => 'not reboot (policy.reboot "never")',
};
