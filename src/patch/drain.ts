import { askRound } from '../checks/ask-round.js';
import { checksOf } from '../checks/catalogue.js';
import { runChecks } from '../checks/check.js';
import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import { AnswerCache } from '../host/answer-cache.js';
import type { Answers } from '../host/answers.js';
import { poll } from '../poll.js';
import { isSeen } from '../rules/rounds.js';
import { NotSafe } from './gate.js';
import { noteContents } from './inventory.js';
import { type Run, requireLock, step } from './run.js';

/**
 * Waits until no task and no active operation uses a datastore; the fence keeps new ones away. Backups that are
 * due meanwhile would find the fence, so in each round the rest of the wait and the whole run after it have to fit.
 * @throws NotSafe (exit 75) as soon as they no longer do, or as PVE is patched or the lock is not ours
 * @throws Fault `drain.timeout` (exit 75) after `drainTimeout`, naming what still runs
 */
export async function drain(run: Run): Promise<string> {
  const { clock, interruption } = run;
  const { pollInterval: everyMs, drainTimeout: limitMs } = run.host.target.policy;
  const begun = clock.monotonic();
  const rounds = roundsOf(run);
  let inUse = '';
  const free = await poll(clock, { everyMs, limitMs, signal: interruption.signal }, async () => {
    await requireLock(run);
    const answers = rounds();
    const findings = await runChecks(USES, answers, { round: 'drain' });
    const blocks = findings.filter(({ status }) => status === 'block');
    if (blocks.length === 0) return true;
    inUse = blocks.map(({ summary }) => summary).join('; ');
    const left = limitMs - (clock.monotonic() - begun);
    if (left <= 0) return null;
    await stillFits(run, answers, left);
    step(run, 'drain', null, `${inUse} (${formatDuration(left)} left)`);
    return null;
  });
  if (free) {
    await noteContents(run);
    return 'nothing uses a datastore';
  }
  throw new Fault('drain.timeout', `Still in use after ${formatDuration(limitMs)}: ${inUse}.`, {
    hint: 'Run again when it has ended, or set policy.drainTimeout.',
    exitCode: EXIT.tryLater,
  });
}

/** What the drain waits for. */
const USES = checksOf('drain').filter(({ rules }) => rules.softenedBy === 'drain');

/** What does not answer for a moment ends no drain: the gate before the upgrade asks again. */
async function stillFits(run: Run, answers: Answers, drainMs: number): Promise<void> {
  const { ignoredWindow } = run;
  const findings = await askRound('drain', answers, {
    ignoredWindow,
    drainMs,
    upgradeBegun: run.journal.state.attempts > 0,
  });
  if (!findings.some(isSeen)) return;
  run.journal.append({ type: 'checked', findings });
  throw new NotSafe(findings);
}

const MINUTE_MS = 60_000;

/**
 * Rounds of questions in a wait that may last for hours: what costs a server much is asked once a minute. The first
 * comes moments after the checks, and mostly is the only one.
 */
function roundsOf({ host, journal, clock, cache: first }: Run): () => Answers {
  let cache = first;
  let until = Number.NEGATIVE_INFINITY;
  let isFirst = true;
  return () => {
    if (!isFirst && clock.monotonic() >= until) {
      cache = new AnswerCache(clock, 'wait');
      until = clock.monotonic() + MINUTE_MS;
    }
    isFirst = false;
    return host.answers(journal.runId, cache);
  };
}
