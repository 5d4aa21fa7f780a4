import type { z } from 'zod';
import { Fault } from '../fault.js';
import * as agent from './agent-answers.js';
import { ApiFault } from './failure.js';
import { agentFault, resultOf, simple } from './guest-agent.js';
import type { GuestPlaces } from './guest-places.js';
import type { Request, Server } from './request.js';
import { Nothing } from './shared-answers.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The guest agents of a cluster: a method for each command that is used. */
export class AgentClient {
  readonly #server: Server;
  readonly #places: GuestPlaces;

  constructor(server: Server, places: GuestPlaces) {
    this.#server = server;
    this.#places = places;
  }

  /** @param timeoutMs limit of the request; the server itself waits up to 8 s for the agent */
  async ping(vmid: number, timeoutMs?: number): Promise<void> {
    const limit = timeoutMs === undefined ? {} : { limitMs: timeoutMs };
    const request = { method: 'POST', effect: false, ...limit } as const;
    resultOf(vmid, 'ping', await this.#ask(vmid, 'ping', request, simple(Nothing)));
  }

  /** Its version, and for every command whether it is allowed. */
  async info(vmid: number): Promise<{ version: string; commands: Map<string, boolean> }> {
    return resultOf(vmid, 'info', await this.#ask(vmid, 'info', { method: 'GET' }, simple(agent.AgentInfo)));
  }

  async osInfo(vmid: number): Promise<{ kernel: string }> {
    return resultOf(
      vmid,
      'get-osinfo',
      await this.#ask(vmid, 'get-osinfo', { method: 'GET' }, simple(agent.OsInfo)),
    );
  }

  /**
   * Starts a program as root in the guest, once; no shell. @returns its pid
   * @throws Fault `agent.*`; after `agent.timeout` and `outcome.unknown` it may run, now or later
   */
  async exec(vmid: number, command: readonly string[]): Promise<number> {
    try {
      return await this.#ask(vmid, 'exec', { method: 'POST', json: { command } }, agent.Pid);
    } catch (error) {
      // From Debian 13 on the agent uses the same words for "forbidden" and "frozen".
      if (error instanceof ApiFault && error.code === 'agent.blocked' && (await this.#isFrozen(vmid))) {
        throw new ApiFault(
          'agent.frozen',
          `The file systems of guest ${vmid} are frozen, as during a backup or snapshot.`,
          error,
          { status: error.status ?? 0, words: error.serverWords },
          { hint: 'Wait until the backup or snapshot is through.' },
        );
      }
      throw error;
    }
  }

  /** How a program fares. Its end is told only once, so this is never asked again by itself. */
  execStatus(vmid: number, pid: number): Promise<agent.ExecStatus> {
    return this.#ask(
      vmid,
      'exec-status',
      { method: 'GET', parameters: { pid }, repeat: 'once' },
      agent.ExecStatus,
    );
  }

  /** A text file of the guest, at most 16 MiB. @throws Fault `agent.failed` when there is none, or it is larger */
  async readFile(vmid: number, path: string): Promise<string> {
    const request = { method: 'GET', parameters: { file: path } } as const;
    const { content, truncated } = await this.#ask(vmid, 'file-read', request, agent.FileContent);
    if (truncated)
      throw new Fault('agent.failed', `The file "${path}" of guest ${vmid} is larger than 16 MiB.`);
    return content;
  }

  /** The kernel's id of this boot, asked for once. @param limitMs a dying guest swallows requests */
  async bootId(vmid: number, limitMs: number): Promise<string> {
    const request = { method: 'GET', parameters: { file: BOOT_ID }, repeat: 'once', limitMs } as const;
    return (await this.#ask(vmid, 'file-read', request, agent.FileContent)).content.trim();
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
      const answer = await this.#ask(vmid, 'fsfreeze-status', request, simple(agent.FreezeState));
      return resultOf(vmid, 'fsfreeze-status', answer) === 'frozen';
    } catch {
      return false; // the refusal that led here says more than this one
    }
  }
}
