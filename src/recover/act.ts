import { runOfFence } from '../fence/mark.js';
import { MaintenanceModes } from '../fence/modes.js';
import type { Host } from '../host/open.js';
import { Journal } from '../journal/journal.js';
import type { RunEvent } from '../journal/records.js';
import { release } from '../lock/lock.js';
import type { Clock } from '../world.js';
import { mount, restart } from './act-inside.js';
import { resetVm, startVm } from './act-power.js';
import type { Sight } from './sight.js';
import type { RecoverFlag } from './step.js';

/** What an action works with. */
export interface Acting {
  readonly host: Host;
  readonly sight: Sight;
  readonly stateDir: string;
  readonly clock: Clock;
  /** Tells a person what is waited for. */
  readonly say: (text: string) => void;
}

/** Carries out what one flag names. @returns what was done, in words. @throws Fault where it could not be done */
export function act(flag: RecoverFlag, acting: Acting): Promise<string> {
  return ACTIONS[flag](acting);
}

const ACTIONS: Readonly<Record<RecoverFlag, (acting: Acting) => Promise<string>>> = {
  'start-vm': startVm,
  'reset-vm': resetVm,
  mount,
  'restart-services': restart,
  'lift-fence': liftFences,
  'release-lock': releaseLocks,
};

/** Lifts the fences of runs, by what the server says at this moment; modes of others stay. */
async function liftFences(acting: Acting): Promise<string> {
  const { pbs } = acting.host;
  const lifted: string[] = [];
  const modes = new MaintenanceModes(pbs);
  for (const { datastore } of acting.sight.fences) {
    await modes.change(datastore, async (maintenance, set) => {
      const run = runOfFence(maintenance);
      if (run === null) return;
      await set(null);
      lifted.push(datastore);
      tell(acting, run, { type: 'unfenced', datastore });
    });
  }
  return lifted.length === 0 ? 'no fence of pbs-ctl is up' : `lifted the fence on ${lifted.join(', ')}`;
}

async function releaseLocks(acting: Acting): Promise<string> {
  const { host, sight } = acting;
  const released: string[] = [];
  for (const { cluster: name, run, owner } of sight.locks) {
    const cluster = host.clusters.find((each) => each.name === name);
    if (!cluster) continue;
    await release(cluster.lock, { run, owner });
    released.push(name);
    tell(acting, run, { type: 'unlocked', cluster: name });
  }
  return released.length === 0
    ? 'no lock of this host is held'
    : `released the lock of ${released.join(', ')}`;
}

/** Lets the journal of the run know, so that its report no longer names what is gone. */
function tell({ sight, stateDir, clock }: Acting, run: string, event: RunEvent): void {
  if (!sight.runs.some((each) => each.run === run)) return; // a run of another state directory
  const journal = Journal.reopen(stateDir, run, clock);
  try {
    journal.append(event);
  } finally {
    journal.close();
  }
}

/** What is still not as the action should have left it; null when it is. Pure. */
export function shortfall(flag: RecoverFlag, now: Sight): string | null {
  const { vm, inside, servicesDown, fences, locks } = now;
  switch (flag) {
    case 'start-vm':
    case 'reset-vm':
      if (vm?.status !== 'running') return `the VM is ${vm?.status ?? 'not to be seen'}`;
      return now.agent === 'silent' && now.proxy === 'silent' ? 'the host does not answer' : null;
    case 'mount':
      if (!inside) return 'the guest agent does not tell what is mounted';
      return inside.missingMounts.length > 0 ? `still not mounted: ${inside.missingMounts.join(', ')}` : null;
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
      return locks.length > 0 ? `still locked: ${locks.map(({ cluster }) => cluster).join(', ')}` : null;
  }
}
