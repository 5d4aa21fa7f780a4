import { AgentError, AgentSilence } from '../../src/lab/machine/agent.js';
import { LineSocket } from './line-socket.js';

/**
 * The guest agent on its own socket, asked as PVE asks it: a connection per command, synchronised first.
 * The socket serves one client at a time, and refuses a third: here each waits for the one before.
 */
export class AgentSocket {
  readonly #path: string;
  #lastId = 1000;
  #before: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** PVE's ping, with its limit of 3 s. */
  async ping(): Promise<boolean> {
    try {
      await this.ask('guest-ping', {}, 3000);
      return true;
    } catch {
      return false;
    }
  }

  /** @throws AgentError when the agent refuses, AgentSilence when it does not answer */
  ask<Answer>(command: string, parameters: Record<string, unknown> = {}, limitMs = 5000): Promise<Answer> {
    const answer = this.#before.then(() => this.#askAlone<Answer>(command, parameters, limitMs));
    this.#before = answer.catch(() => {});
    return answer;
  }

  async #askAlone<Answer>(
    command: string,
    parameters: Record<string, unknown>,
    limitMs: number,
  ): Promise<Answer> {
    const socket = await LineSocket.open(this.#path).catch(() => null);
    if (!socket) throw new AgentSilence(command, { closed: true });
    try {
      const deadline = performance.now() + limitMs;
      await this.#synchronise(socket, command, deadline);
      socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
      const answer = await read(socket, command, deadline);
      if (answer.error) throw new AgentError(answer.error.desc);
      return answer.return as Answer;
    } finally {
      socket.close();
    }
  }

  /** Skips what earlier clients left in the channel: answers that they did not wait for. */
  async #synchronise(socket: LineSocket, command: string, deadline: number): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    const request = { execute: 'guest-sync-delimited', arguments: { id } };
    socket.write(Buffer.concat([Buffer.of(0xff), Buffer.from(`${JSON.stringify(request)}\n`)]));
    for (;;) if ((await read(socket, command, deadline)).return === id) return;
  }
}

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/** The next line that is an answer; the agent puts a 0xFF before that of a synchronisation. */
async function read(socket: LineSocket, command: string, deadline: number): Promise<Answer> {
  for (;;) {
    const line = await socket.line(Math.max(0, deadline - performance.now()));
    if (!line) throw new AgentSilence(command, { closed: socket.closed });
    const text = line.subarray(line.lastIndexOf(0xff) + 1).toString('utf8');
    try {
      return JSON.parse(text) as Answer;
    } catch {
      // The rest of an answer that somebody else did not read to its end.
    }
  }
}
