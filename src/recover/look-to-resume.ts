import { askRound } from '../checks/ask-round.js';
import { runChecks } from '../checks/check.js';
import { installedNow } from '../checks/host-state.js';
import { lockAvailable } from '../checks/lock.available.js';
import { Fault } from '../fault.js';
import type { Answers } from '../host/answers.js';
import type { RunState } from '../journal/state.js';
import { bootSeen } from '../patch/foreign-boot.js';
import { type RebootVerdict, rebootVerdict } from '../rules/boot.js';
import { type Resumption, resumptionOf, roundToResume } from '../rules/resume.js';
import { isRolledBack } from '../rules/rolled-back.js';
import type { ObservedHost } from './observed.js';

/** What speaks against continuing a run now: its boot, and the checks that `patch` would ask first. Reads only. */
export async function lookToResume(
  run: RunState,
  answers: Answers,
  { proxy, verified }: Pick<ObservedHost, 'proxy'> & { readonly verified: boolean | null },
): Promise<Resumption> {
  const { policy } = answers.target;
  const boot = proxy === 'answers' ? await bootOf(run, answers) : 'unknown';
  const rolledBack = proxy === 'answers' && (await hasGoneBack(run, answers));
  const round = roundToResume(run, boot, policy);
  const isAwaited = run.reboot !== null && run.reboot.upAt === null && boot !== 'rebooted';
  const findings = isAwaited
    ? []
    : round === null
      ? // Without the lock it is not even verified.
        await runChecks([lockAvailable], answers)
      : await askRound(round, answers, {
          ignoredWindow: null,
          plan: 'any',
          drainMs: policy.drainTimeout,
          upgradeBegun: run.attempts > 0,
          ownTasks: run.upgradeTask === null ? [] : [run.upgradeTask],
        });
  const sinceRequestMs = run.reboot && answers.clock.now() - Date.parse(run.reboot.requestedAt);
  return resumptionOf({ run, policy, boot, sinceRequestMs, findings, verified, rolledBack });
}

/** One that does not answer now is taken as it is. */
async function hasGoneBack(run: RunState, answers: Answers): Promise<boolean> {
  if (run.changes === null) return false;
  const seen = await Promise.all([bootSeen(answers), installedNow(answers)]).catch(() => null);
  return seen !== null && isRolledBack(run, { boot: seen[0], installed: seen[1] });
}

async function bootOf({ reboot, bootBefore }: RunState, answers: Answers): Promise<RebootVerdict> {
  const before = reboot ? { boot: reboot.before, seenAt: reboot.requestedAt } : bootBefore;
  if (!before) return 'unknown';
  const elapsed = (answers.clock.now() - Date.parse(before.seenAt)) / 1000;
  const bootId = answers.target.guest ? answers.survey().then((seen) => seen.bootId) : null;
  const [node, time, id] = await Promise.allSettled([answers.pbs.nodeStatus(), answers.pbs.time(), bootId]);
  for (const each of [node, time, id])
    if (each.status === 'rejected' && !(each.reason instanceof Fault)) throw each.reason;
  const api =
    node.status === 'fulfilled' && time.status === 'fulfilled'
      ? { uptimeSeconds: node.value.uptimeSeconds, epochSeconds: time.value.epochSeconds }
      : null;
  return rebootVerdict(before.boot, elapsed, { api, bootId: id.status === 'fulfilled' ? id.value : null });
}
