import { EXIT, Fault } from '../fault.js';
import { type Run, requireLock, step } from './run.js';

const LIMIT_MS = 10 * 60_000;

/**
 * `apt update` through the PBS API. A repository that fails shows as `WARNINGS`, and with an
 * unreachable mirror only as `Err:` lines of a task that ends `OK`.
 * @throws Fault `refresh.failed` (exit 75)
 */
export async function refresh(run: Run): Promise<string> {
  const { pbs, target } = run.host;
  await requireLock(run);
  const upid = await pbs.refreshPackages();
  const deadline = run.clock.monotonic() + LIMIT_MS;
  for (;;) {
    const { running, exitStatus } = await pbs.taskState(upid);
    if (!running) {
      let failure: string | undefined;
      await pbs.taskLog(upid, (line) => {
        if (failure === undefined && isFailure(line)) failure = line;
      });
      if (exitStatus === 'OK' && failure === undefined) return 'package lists are fresh';
      throw new Fault(
        'refresh.failed',
        `The package lists could not be refreshed (${exitStatus ?? 'no result'}): ${failure?.trim() ?? 'see the task log on the host'}`,
        {
          hint: `Mend the repositories of ${target.host} (Administration > Repositories), then run again.`,
          exitCode: EXIT.tryLater,
        },
      );
    }
    if (run.clock.monotonic() > deadline) {
      throw new Fault(
        'refresh.slow',
        `apt update on ${target.host} has not ended after ${LIMIT_MS / 60_000} minutes.`,
        {
          hint: 'Look at its task log, then run again.',
          exitCode: EXIT.tryLater,
        },
      );
    }
    step(run, 'apt update', null, 'running');
    await run.clock.sleep(Math.min(target.policy.pollInterval, 1000), run.interruption.signal);
  }
}

/** Only the first line of an entry carries a time stamp. */
const isFailure = (line: string) => /^(?:\S+: )?(?:Err:|E: )/.test(line);
