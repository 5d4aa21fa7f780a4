import { z } from 'zod';
import { number, optional, text } from './answer.js';

// Answers that PBS and PVE give alike.

/** Key present means privilege held, the value only whether it is inherited below; paths without any are left out. */
export const Permissions = z.record(z.string(), z.record(z.string(), z.unknown()));

export const Time = z
  .object({ time: number, timezone: text })
  .transform(({ time, timezone }) => ({ epochSeconds: time, timezone }));

export interface TaskState {
  readonly running: boolean;
  readonly exitStatus: string | null;
}
/** The same in both products. */
export const TaskStatus = z
  .object({ status: z.enum(['running', 'stopped']), exitstatus: optional(text) })
  .transform(
    ({ status, exitstatus }): TaskState => ({ running: status === 'running', exitStatus: exitstatus }),
  );

/** `n` counts from 1 in both products. */
export const LogLines = z.array(z.object({ n: number, t: z.string() }));

export const Upid = z.string().startsWith('UPID:');

/** For answers that say nothing. */
export const Nothing = z.unknown().transform(() => undefined);
