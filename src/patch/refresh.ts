import { waitForTask } from '../api/tasks.js';
import { EXIT, Fault } from '../fault.js';
import { type Run, requireLock, step } from './run.js';

const LIMIT_MS = 10 * 60_000;

/**
 * `apt update` through the PBS API. A repository that fails shows as `WARNINGS`, and with an
 * unreachable mirror only as `Err:` lines of a task that ends `OK`.
 * @throws Fault `refresh.failed`, `refresh.slow` (exit 75)
 */
export async function refresh(run: Run): Promise<string> {
  const { pbs, target } = run.host;
  await requireLock(run);
  const upid = await pbs.refreshPackages();
  const everyMs = Math.min(target.policy.pollInterval, 1000);
  const { signal } = run.interruption;
  const ended = await waitForTask(run.clock, { everyMs, limitMs: LIMIT_MS, signal }, async () => {
    const state = await pbs.taskState(upid);
    if (state.running) step(run, 'apt update', null, 'running');
    return state;
  });
  if (!ended) {
    throw new Fault(
      'refresh.slow',
      `apt update on ${target.host} has not ended after ${LIMIT_MS / 60_000} minutes.`,
      { hint: 'Look at its task log, then run again.', exitCode: EXIT.tryLater },
    );
  }
  let failure: string | undefined;
  await pbs.taskLog(upid, (line) => {
    if (failure === undefined && isFailure(line)) failure = line;
  });
  if (ended.exitStatus === 'OK' && failure === undefined) return 'package lists are fresh';
  throw new Fault(
    'refresh.failed',
    `The package lists could not be refreshed (${ended.exitStatus ?? 'no result'}): ${failure?.trim() ?? 'see the task log on the host'}`,
    {
      hint: `Fix the repositories of ${target.host} (Administration > Repositories), then run again.`,
      exitCode: EXIT.tryLater,
    },
  );
}

/** Only the first line of an entry carries a time stamp. */
const isFailure = (line: string) => /^(?:\S+: )?(?:Err:|E: )/.test(line);
