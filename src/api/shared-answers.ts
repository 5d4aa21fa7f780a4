import { z } from 'zod';
import { number, text } from './answer.js';

// Answers that PBS and PVE give alike.

/** Key present means privilege held, the value only whether it is inherited below; paths without any are left out. */
export const Permissions = z.record(z.string(), z.record(z.string(), z.unknown()));

export const Time = z
  .object({ time: number, timezone: text })
  .transform(({ time, timezone }) => ({ epochSeconds: time, timezone }));

/** For answers that say nothing. */
export const Nothing = z.unknown().transform(() => undefined);
