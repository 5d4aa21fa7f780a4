import { z } from 'zod';
import { Fault } from '../fault.js';
import { type Polling, poll } from '../poll.js';
import type { Clock } from '../world.js';
import { number, optional, text } from './answer.js';

// Worker tasks, which PBS and PVE tell of alike.

/** `exitStatus` is "OK", "WARNINGS: n" or the error; null while it runs, "unknown" for a task that PBS does not know. */
export interface TaskState {
  readonly running: boolean;
  readonly exitStatus: string | null;
}
export const TaskStatus = z
  .object({ status: z.enum(['running', 'stopped']), exitstatus: optional(text) })
  .transform(
    ({ status, exitstatus }): TaskState => ({ running: status === 'running', exitStatus: exitstatus }),
  );

export const Upid = z.string().startsWith('UPID:');

/**
 * Follows a task to its end.
 * @param ask its state, as `pbs.taskState(upid)` or `pve.taskState(node, upid)`; what it throws ends the wait
 * @returns how it ended, or null when the limit was over first: it may still run
 * @throws the signal's reason
 */
export function waitForTask(
  clock: Clock,
  polling: Polling,
  ask: () => Promise<TaskState>,
): Promise<TaskState | null> {
  return poll(clock, polling, async () => {
    const state = await ask();
    return state.running ? null : state;
  });
}

/** A task with warnings has done its work. */
export const endedWell = ({ exitStatus }: TaskState): boolean =>
  exitStatus === 'OK' || (exitStatus?.startsWith('WARNINGS') ?? false);

/** `n` counts from 1 in both products. */
export const LogLines = z.array(z.object({ n: number, t: z.string() }));

/** Lines of one answer. */
export const LOG_PAGE = 5000;

/** Longest time for all pages of a log: one may be written faster than it is read. */
const LOG_LIMIT_MS = 5 * 60_000;

/**
 * Hands on every line of a log that a server gives in pages, where lines count from 1 and `start` is the
 * first one wanted. A page at a time: the log of a task can have millions of lines.
 * @throws Fault `task.log-endless` after five minutes
 */
export async function eachLine(
  clock: Pick<Clock, 'monotonic'>,
  page: (start: number, limit: number) => Promise<readonly { readonly n: number; readonly t: string }[]>,
  tell: (line: string) => void,
): Promise<void> {
  const end = clock.monotonic() + LOG_LIMIT_MS;
  for (let start = 1; ; ) {
    const found = await page(start, LOG_PAGE);
    for (const { t } of found) tell(t);
    const last = found.at(-1);
    if (!last || found.length < LOG_PAGE || last.n < start) return;
    start = last.n + 1;
    if (clock.monotonic() > end)
      throw new Fault(
        'task.log-endless',
        `The log of a task does not end within ${LOG_LIMIT_MS / 60_000} minutes.`,
        {
          kind: 'later',
          hint: 'Look at the task in the web UI of the server.',
        },
      );
  }
}
