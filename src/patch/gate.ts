import { askRound } from '../checks/ask-round.js';
import { isDenied, retryAfter } from '../checks/check.js';
import { EXIT, Fault } from '../fault.js';
import type { Answers } from '../host/answers.js';
import type { Finding } from '../journal/document.js';
import type { RunState } from '../journal/state.js';
import { LockFault } from '../lock/lock-fault.js';
import { gateVerdict, isSeen } from '../rules/rounds.js';
import { type Run, requireLock } from './run.js';

// The two gates: each step that cannot be taken back is behind one of them, on every path. What blocks `preflight`
// blocks them, but for the lock, the fence and the tasks of the run itself.

/**
 * Right before the upgrade starts.
 * @param answers the round in which its plan was made
 * @throws NotSafe (exit 75: nothing has begun, so all is undone), `lock.*`
 */
export async function beforeUpgrade(run: Run, answers: Answers): Promise<void> {
  const { findings } = await ask(run, 'upgrade', answers);
  if (blocksOf(findings).length > 0) throw new NotSafe(findings);
  await requireLock(run);
}

/**
 * Right before the reboot is requested.
 * @returns the answers that it rests on
 * @throws Fault `reboot.no-longer-fits` (exit 75: the next run reboots), `lock.*`
 */
export async function beforeReboot(run: Run): Promise<Answers> {
  const { findings, answers } = await ask(run, 'reboot', run.host.answers(run.journal.runId));
  const blocks = blocksOf(findings);
  if (blocks.length > 0) throw notNow(run, blocks);
  await stillLocked(run);
  return answers;
}

/**
 * What holds back the fence of a run that has upgraded and ends without a verification: a datastore that is not as
 * it should be. What cannot be determined does not: then the fence cannot be lifted, or nothing is known to be wrong.
 */
export async function whatHoldsTheFence(run: Run): Promise<readonly Finding[]> {
  if (run.journal.state.fenced.length === 0) return [];
  const answers = run.host.answers(run.journal.runId);
  const findings = await askRound('unfence', answers, { ignoredWindow: null });
  return findings.filter(isSeen);
}

/** Asks afresh and at once; a second time where nothing speaks against it but what did not answer. */
async function ask(
  run: Run,
  gate: 'upgrade' | 'reboot',
  first: Answers,
): Promise<{ findings: readonly Finding[]; answers: Answers }> {
  const { host, journal, clock, ignoredWindow, interruption } = run;
  const { state } = journal;
  const given = () => ({
    ignoredWindow,
    // The plan was judged when it was made, of the same answers.
    plan: 'any',
    upgradeBegun: state.attempts > 0,
    worked: clock.now() - workingSince(state),
    ownTasks: state.upgradeTask === null ? [] : [state.upgradeTask],
  });
  let answers = first;
  let findings = await askRound(gate, answers, given());
  if (gateVerdict(findings) === 'ask-again') {
    await clock.sleep(host.target.policy.pollInterval, interruption.signal);
    answers = host.answers(journal.runId);
    findings = await askRound(gate, answers, given());
  }
  journal.append({ type: 'checked', findings });
  return { findings, answers };
}

/** `maintenanceDuration` counts from when the drain was over: how long that takes depends on others. */
function workingSince({ timeline, startedAt }: RunState): number {
  const drained = timeline.findLast(({ phase, endedAt }) => phase === 'drain' && endedAt !== null);
  return Date.parse(drained?.endedAt ?? startedAt);
}

const blocksOf = (findings: readonly Finding[]) => findings.filter(({ status }) => status === 'block');

/** What checks that block have kept of the words of a server or of the guest. */
const evidenceOf = (blocks: readonly Finding[]): string[] =>
  blocks.flatMap(({ detail: { evidence } }) => (Array.isArray(evidence) ? evidence.map(String) : []));

const listed = (findings: readonly Finding[]) =>
  findings.map(({ id, summary }) => `${id}: ${summary}`).join('; ');

/** A check blocks before anything has begun. */
export class NotSafe extends Fault {
  constructor(findings: readonly Finding[]) {
    const blocks = blocksOf(findings);
    const refused = blocks.find(isDenied);
    super(
      refused ? String(refused.detail.error) : 'not-safe',
      listed(refused ? [refused] : blocks),
      refused
        ? {
            hint: String(refused.detail.hint ?? 'Correct the token or the certificate.'),
            exitCode: EXIT.failed,
          }
        : {
            hint: 'No package was changed. Run again when it is over.',
            exitCode: EXIT.tryLater,
            retryAfter: retryAfter(findings),
            evidence: evidenceOf(blocks),
          },
    );
  }
}

const notNow = ({ host }: Run, blocks: readonly Finding[]) =>
  new Fault('reboot.no-longer-fits', `The reboot is not safe now: ${listed(blocks)}.`, {
    hint: `The packages are installed; the next run reboots: pbs-ctl patch --host ${host.target.host}`,
    exitCode: EXIT.tryLater,
    retryAfter: retryAfter(blocks),
  });

/** Without the lock there is no reboot, and none is needed now: what is installed stays, and the next run reboots. */
async function stillLocked(run: Run): Promise<void> {
  try {
    await requireLock(run);
  } catch (cause) {
    if (!(cause instanceof LockFault)) throw cause;
    const { host } = run.host.target;
    throw new LockFault(cause.code, cause.message, {
      hint: `${cause.hint ?? 'Look at the lock.'} The packages are installed; the next run reboots: pbs-ctl patch --host ${host}`,
      exitCode: EXIT.tryLater,
    });
  }
}
