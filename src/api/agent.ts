import { z } from 'zod';
import { Fault } from '../fault.js';
import { bool, number, optional, text } from './answer.js';
import { Nothing } from './client.js';
import { AgentFault, agentFault, resultOf } from './guest-agent.js';
import type { GuestPlaces } from './guest-places.js';
import type { Request, Server } from './request.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The guest agents of a cluster: a method for each command that is used. */
export class Agent {
  readonly #server: Server;
  readonly #places: GuestPlaces;

  constructor(server: Server, places: GuestPlaces) {
    this.#server = server;
    this.#places = places;
  }

  /** @param timeoutMs limit of the request; the server itself waits up to 8 s for the agent */
  ping(vmid: number, timeoutMs?: number): Promise<void> {
    const limit = timeoutMs === undefined ? {} : { limitMs: timeoutMs };
    return this.#simple(vmid, 'ping', { method: 'POST', effect: false, ...limit }, Nothing);
  }

  /** Its version, and for every command whether it is allowed. */
  info(vmid: number): Promise<AgentInfo> {
    return this.#simple(vmid, 'info', { method: 'GET' }, AgentInfo);
  }

  /**
   * Starts a program as root in the guest, once; no shell. @returns its pid
   * @throws Fault `agent.*`; after `agent.timeout` and `outcome.unknown` it may run, now or later
   */
  async exec(vmid: number, command: readonly string[]): Promise<number> {
    try {
      return await this.#ask(vmid, 'exec', { method: 'POST', json: { command: asciiCommand(command) } }, Pid);
    } catch (error) {
      if (error instanceof AgentFault && error.mayBeFrozen && (await this.#isFrozen(vmid))) {
        throw new Fault(
          'agent.frozen',
          `The file systems of guest ${vmid} are frozen, as during a backup or snapshot.`,
          { kind: 'passing', hint: 'Wait until the backup or snapshot is through.' },
        );
      }
      throw error;
    }
  }

  /** The state of a program. PVE reports its end only once, so this is never repeated automatically. */
  execStatus(vmid: number, pid: number): Promise<ExecStatus> {
    const request = { method: 'GET', parameters: { pid }, repeat: 'once' } as const;
    return this.#ask(vmid, 'exec-status', request, ExecStatus);
  }

  /** The kernel's id of this boot; never asked twice. @param limitMs a dying guest swallows requests */
  async bootId(vmid: number, limitMs: number): Promise<string> {
    const request = { method: 'GET', parameters: { file: BOOT_ID }, repeat: 'once', limitMs } as const;
    return (await this.#ask(vmid, 'file-read', request, FileContent)).trim();
  }

  /** A command whose refusal comes inside of a good answer. */
  async #simple<Result>(
    vmid: number,
    command: string,
    request: Omit<Request, 'path'>,
    result: z.ZodType<Result>,
  ): Promise<Result> {
    return resultOf(vmid, command, await this.#ask(vmid, command, request, agentResult(result)));
  }

  async #ask<Answer>(
    vmid: number,
    command: string,
    request: Omit<Request, 'path'>,
    data: z.ZodType<Answer>,
  ): Promise<Answer> {
    try {
      return await this.#places.on(vmid, (path) =>
        this.#server.ask({ ...request, path: `${path}/agent/${command}` }, data),
      );
    } catch (error) {
      throw agentFault(vmid, command, error);
    }
  }

  async #isFrozen(vmid: number): Promise<boolean> {
    try {
      const request = { method: 'POST', effect: false } as const;
      return (await this.#simple(vmid, 'fsfreeze-status', request, FreezeState)) === 'frozen';
    } catch {
      return false; // the refusal that led here says more than this one
    }
  }
}

/**
 * The same command without a byte beyond ASCII: with two of them the agent falls silent until it is restarted
 * (PVE 8.4 and 9.2). A shell in the guest puts the bytes back.
 */
function asciiCommand(command: readonly string[]): readonly string[] {
  if (command.every(isAscii)) return command;
  return ['/bin/sh', '-c', `exec ${command.map(shellWord).join(' ')}`];
}

const isAscii = (text: string) => !/[^\0-\x7f]/.test(text);

/** A word of a shell. A dash is not left as it is: printf would take it for an option. */
function shellWord(word: string): string {
  if (isAscii(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const octal = [...Buffer.from(word)].map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[\w/.,:=@+]/.test(letter) ? letter : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"$(printf '${octal.join('')}')"`;
}

// What is read of the answers.

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
type AgentInfo = z.output<typeof AgentInfo>;

export const FreezeState = z.string();
export const Pid = z.object({ pid: number }).transform(({ pid }) => pid);

/** The agent keeps so many bytes of each stream and drops the rest. */
const CAPTURE_LIMIT = 16 * 1024 * 1024;

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
  .transform(({ exited, exitcode, signal, ...rest }) => {
    if (!exited) return { exited: false } as const;
    const out = rest['out-data'] ?? '';
    const err = rest['err-data'] ?? '';
    const full = out.length >= CAPTURE_LIMIT || err.length >= CAPTURE_LIMIT;
    return {
      exited: true,
      exitCode: exitcode,
      signal,
      stdout: ungarbled(out),
      stderr: ungarbled(err),
      /** Output was more than the agent keeps. */
      truncated: full || rest['out-truncated'] === true || rest['err-truncated'] === true,
    } as const;
  });
type ExecStatus = z.output<typeof ExecStatus>;

export const FileContent = z.object({ content: z.string() }).transform(({ content }) => ungarbled(content));

/**
 * PVE hands out bytes as one character each, so all but ASCII arrives garbled: put the bytes together
 * again. A text with characters beyond a byte was decoded properly and stays as it is.
 */
export function ungarbled(value: string): string {
  for (let index = 0; index < value.length; index += 1) if (value.charCodeAt(index) > 0xff) return value;
  return Buffer.from(value, 'latin1').toString('utf8');
}
