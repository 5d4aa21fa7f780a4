import { verifyOnce } from '../checks/verify.js';
import type { Host } from '../host/open.js';
import { workingOn } from '../journal/claim.js';
import { runsOf } from '../journal/journal.js';
import { isUnfinished, type RunState } from '../journal/state.js';
import { look as lookAtLock } from '../lock/lock.js';
import { isoFromSeconds } from '../moment.js';
import { lookAtPbs } from './look-pbs.js';
import { lookAtVm, lookInside } from './look-vm.js';
import type { HeldLock, RunSight, Sight } from './sight.js';

/** Looks at a host from outside in; whatever does not answer is part of what is seen. Reads only. */
export async function lookAt(host: Host, stateDir: string): Promise<Sight> {
  const { host: name } = host.target;
  const runs = runsOf(stateDir, name);
  const baseline = runs.findLast((run) => run.baseline)?.baseline ?? null;
  const [vm, inside, pbs, locks] = await Promise.all([
    lookAtVm(host),
    lookInside(host),
    lookAtPbs(host, baseline),
    lookAtLocks(host),
  ]);
  const verification = pbs.proxy === 'answers' ? await verifyOnce(host.answers(null), baseline, null) : null;
  const pid = workingOn(stateDir, name);
  const left = new Set([...pbs.fences, ...locks.locks].map(({ run }) => run));
  return {
    host: name,
    busy: pid === null ? null : { pid },
    ...vm,
    ...inside,
    ...pbs,
    ...locks,
    runs: runs.filter((run) => left.has(run.runId) || run === runs.at(-1)).map(sightOf),
    verification: verification && { ok: verification.ok, findings: verification.findings },
    unfinishedRun: runs.findLast(isUnfinished)?.runId ?? null,
  };
}

const sightOf = ({ runId, ended, phase, startedAt, lastAt, fenced, locks }: RunState): RunSight => ({
  run: runId,
  outcome: ended?.outcome ?? null,
  phase,
  startedAt,
  lastAt,
  leftBehind: { fenced, locks },
  error: ended?.error ?? null,
});

async function lookAtLocks({ clusters, target }: Host): Promise<Pick<Sight, 'locks' | 'foreignLocks'>> {
  const locks: HeldLock[] = [];
  const foreignLocks: Array<Sight['foreignLocks'][number]> = [];
  await Promise.all(
    clusters.map(async ({ name: cluster, lock }) => {
      // A cluster that cannot be asked shows in what is seen of the VM.
      const standing = await lookAtLock(lock).catch(() => null);
      if (standing?.kind === 'unreadable') foreignLocks.push({ cluster, owner: null, until: null });
      if (standing?.kind !== 'held') return;
      const { owner, run, expiresAt } = standing.lock;
      const until = isoFromSeconds(expiresAt);
      if (owner === target.host) locks.push({ cluster, owner, run, until, expired: standing.expired });
      else foreignLocks.push({ cluster, owner, until });
    }),
  );
  return { locks, foreignLocks };
}
