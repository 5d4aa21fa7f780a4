import { formatDuration } from '../config/quantity.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import { readProgress } from '../guest/apt.js';
import { evidenceIn } from '../guest/evidence.js';
import { takeSurvey } from '../guest/survey.js';
import { UPGRADE_EXIT } from '../guest/upgrade-script.js';
import {
  clearUpgrade,
  startUpgrade,
  type UnitState,
  viewUpgrade,
  withdrawStart,
} from '../guest/upgrade-unit.js';
import type { Host } from '../host/open.js';
import { type Lease, notReleased, takeLease } from '../lock/lease.js';
import { poll } from '../poll.js';
import { adviceOf } from '../rules/advice.js';
import { causesIn } from '../rules/causes.js';
import type { Clock, World } from '../world.js';
import type { ObservedHost } from './observed.js';

interface Repairing {
  readonly host: Host;
  readonly observed: ObservedHost;
  readonly clock: Clock;
  readonly randomWord: World['randomWord'];
  readonly say: (text: string) => void;
}

/** What a person types where pbs-ctl cannot reach the packages. */
const BY_HAND = [
  'dpkg --force-confdef --force-confold --configure -a',
  'apt-get -s -f install',
  'apt-get -f install',
];

/**
 * Finishes what dpkg left half done: `dpkg --configure -a` and `apt-get -f install`, in a unit of the guest, simulated
 * first, without a loss of protected packages, under the lock.
 * @returns what was done
 * @throws Fault `recover.no-agent`, `recover.busy` (exit 75), `recover.failed`, `lock.*`
 */
export async function repairPackages(acting: Repairing): Promise<string> {
  const { host, observed } = acting;
  const { guest, target } = host;
  if (!guest || observed.inside === null)
    throw new Fault(
      'recover.no-agent',
      guest
        ? 'Repairing packages needs the guest agent, which does not answer.'
        : `The config names no guest for ${target.host}, so its packages cannot be repaired from here.`,
      {
        hint: [
          `On ${target.host}, as root, the second one to see what the third one would do:`,
          ...BY_HAND,
        ].join('\n'),
      },
    );
  const { audit, plan } = await takeSurvey(guest);
  if (audit === '' && plan !== null) return 'no package is half done';
  return underLock(acting, (lease) => repair(acting, lease));
}

/** Under that of the unfinished run where there is one, which keeps it; else under one that is released again. */
async function underLock(acting: Repairing, act: (lease: Lease) => Promise<string>): Promise<string> {
  const { host, observed, clock, randomWord, say } = acting;
  const { policy, host: owner } = host.target;
  const run = observed.unfinishedRun ?? randomWord(6);
  const isKept = observed.locks.some((lock) => lock.run === run);
  const lease = await takeLease(
    host.clusters.map((cluster) => ({
      lock: cluster.lock,
      claim: { owner, run, ttlMs: cluster.config.lock.ttl, onExpired: policy.onExpiredLock, sole: true },
    })),
    {
      clock,
      onAcquired: () => {},
      onRenewalFailed: (cluster, error) =>
        say(`the lock of cluster "${cluster}" could not be renewed: ${errorDocument(error).message}`),
    },
  );
  try {
    return await act(lease);
  } finally {
    if (isKept) lease.leave();
    else
      for (const { cluster, error } of await lease.release())
        say(notReleased(cluster, { owner, run }, error));
  }
}

async function repair({ host, clock, randomWord, say }: Repairing, lease: Lease): Promise<string> {
  const { guest, target } = host;
  const { policy } = target;
  if (!guest) return '';
  // A name of its own: the ended unit of the upgrade may still be there.
  const attempt = { run: `repair-${randomWord(6)}`, attempt: 1 };
  await lease.confirm();
  say('repairing packages in the guest');
  await startUpgrade(guest, {
    ...attempt,
    repairDpkg: true,
    only: 'repair',
    cleanup: false,
    protectedPackages: policy.protectedPackages,
    removals: policy.removals,
  }).catch((error: unknown) => {
    if (!(error instanceof Fault) || error.kind !== 'unknown') throw error;
  });
  const pieces: Buffer[] = [];
  let offset = 0;
  let status = '';
  const look = async () => {
    const seen = await viewUpgrade(guest, attempt, offset).catch(() => null);
    if (!seen) return null;
    offset += seen.log.length;
    pieces.push(seen.log);
    const words = readProgress(seen.status)?.text ?? '';
    if (words !== '' && words !== status) say(words);
    status = words;
    return seen;
  };
  const polling = { everyMs: policy.pollInterval, limitMs: policy.upgradeTimeout };
  const unit = await poll(clock, polling, async () => {
    const seen = await look();
    if (!seen || seen.unit.kind === 'running') return null;
    if (seen.unit.kind !== 'gone') return seen.unit;
    return seen.start === 'over' || (await withdrawStart(guest, attempt).catch(() => false))
      ? seen.unit
      : null;
  });
  if (!unit) throw stillRuns(target.host, policy.upgradeTimeout);
  // What it has written since.
  while (((await look())?.log.length ?? 0) > 0);
  await clearUpgrade(guest, attempt.run).catch(() => {});
  if (unit.kind === 'succeeded') return 'the packages were repaired';
  throw notRepaired(target.host, unit, evidenceIn(Buffer.concat(pieces).toString().split('\n')));
}

const stillRuns = (host: string, limitMs: number) =>
  new Fault(
    'recover.failed',
    `The repair has not ended after ${formatDuration(limitMs)}, and is left alone.`,
    {
      hint: `pbs-ctl never kills a running dpkg. See how it stands:\npbs-ctl recover --host ${host}`,
    },
  );

const REFUSED: ReadonlySet<number> = new Set([
  UPGRADE_EXIT.removesProtected,
  UPGRADE_EXIT.removesMore,
  UPGRADE_EXIT.pveNode,
]);

function notRepaired(host: string, unit: UnitState, evidence: readonly string[]): Fault {
  const code = unit.kind === 'failed' && !unit.signal ? unit.exitCode : null;
  const advice = adviceOf(causesIn(evidence), { host, enterpriseFile: null });
  if (code === UPGRADE_EXIT.busy)
    return new Fault('recover.busy', `Another apt or dpkg is at work on ${host}, for a minute by now.`, {
      hint: advice?.hint ?? 'Wait until it has ended.',
      exitCode: EXIT.tryLater,
      evidence,
    });
  const why = code !== null && REFUSED.has(code) ? 'was refused' : 'failed';
  return new Fault(
    'recover.failed',
    `The repair ${why}${advice ? `: ${advice.means}` : ''}: ${evidence.at(-1)?.trim() ?? 'no word of it'}`,
    {
      hint: `Fix what its lines say, in the guest:\n${BY_HAND[1]}`,
      evidence,
    },
  );
}
