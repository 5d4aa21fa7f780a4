import { z } from 'zod';
import { bool, number, optional, text } from './answer.js';

/**
 * The simple commands answer with status 200 even when the agent refuses: then there is `error` where
 * the result should be. What went wrong is left to the caller.
 */
export const agentResult = <Result>(result: z.ZodType<Result>) =>
  z
    .object({
      result: z.union([
        z.object({ error: z.object({ class: optional(text), desc: z.string() }) }).transform(({ error }) => ({
          refused: error.desc || (error.class ?? 'no reason given'),
        })),
        result.transform((value) => ({ value })),
      ]),
    })
    .transform((answer) => answer.result);

export const AgentInfo = z
  .object({
    version: text,
    supported_commands: z.array(z.object({ name: text, enabled: bool })),
  })
  .transform(({ version, supported_commands }) => ({
    version,
    commands: new Map(supported_commands.map(({ name, enabled }) => [name, enabled])),
  }));

export const OsInfo = z
  .object({ 'kernel-release': text })
  .transform((info) => ({ kernel: info['kernel-release'] }));
export const FreezeState = z.string();
export const Pid = z.object({ pid: number }).transform(({ pid }) => pid);

/**
 * PVE hands out bytes as one character each, so all but ASCII arrives garbled: put the bytes together
 * again. A text with characters beyond a byte was decoded properly and stays as it is.
 */
export function ungarbled(value: string): string {
  for (let index = 0; index < value.length; index += 1) if (value.charCodeAt(index) > 0xff) return value;
  return Buffer.from(value, 'latin1').toString('utf8');
}
/** The agent keeps so many bytes of each stream and drops the rest. */
const CAPTURE_LIMIT = 16 * 1024 * 1024;

export type ExecStatus =
  | { readonly exited: false }
  | {
      readonly exited: true;
      readonly exitCode: number | null;
      readonly signal: number | null;
      readonly stdout: string;
      readonly stderr: string;
      /** Output was more than the agent keeps. */
      readonly truncated: boolean;
    };
export const ExecStatus = z
  .object({
    exited: bool,
    exitcode: optional(number),
    signal: optional(number),
    'out-data': z.string().nullish(),
    'err-data': z.string().nullish(),
    // Old agents say false where it was truncated, so a full buffer counts as well.
    'out-truncated': optional(bool),
    'err-truncated': optional(bool),
  })
  .transform(({ exited, exitcode, signal, ...rest }): ExecStatus => {
    if (!exited) return { exited };
    const out = rest['out-data'] ?? '';
    const err = rest['err-data'] ?? '';
    const full = out.length >= CAPTURE_LIMIT || err.length >= CAPTURE_LIMIT;
    return {
      exited,
      exitCode: exitcode,
      signal,
      stdout: ungarbled(out),
      stderr: ungarbled(err),
      truncated: full || rest['out-truncated'] === true || rest['err-truncated'] === true,
    };
  });

export const FileContent = z
  .object({ content: z.string(), truncated: optional(bool) })
  .transform(({ content, truncated }) => ({ content: ungarbled(content), truncated: truncated === true }));
