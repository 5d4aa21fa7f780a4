import { LineSocket } from './line-socket.js';

/** A stand-in of a PBS daemon inside the guest (image/pbs-daemon), on its port. One question at a time. */
export class PbsPort {
  readonly #path: string;
  #queue: Promise<unknown> = Promise.resolve();
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws Error when the daemon does not answer within the limit (milliseconds) */
  ask(question: string, limitMs = 30_000): Promise<{ exitCode: number; output: string }> {
    const asked = this.#queue.then(() => this.#ask(question, limitMs));
    this.#queue = asked.catch(() => {});
    return asked;
  }

  async #ask(question: string, limitMs: number): Promise<{ exitCode: number; output: string }> {
    const socket = await LineSocket.open(this.#path);
    try {
      this.#lastId += 1;
      socket.write(`${this.#lastId} ${question}\n`);
      for (;;) {
        const head = (await socket.line(limitMs))?.toString().trim();
        if (head === undefined) throw new Error(`the guest did not answer "${question}"`);
        const [id = 0, exitCode = 1, length = 0] = head.split(' ').map(Number);
        const output = await socket.bytes(length, limitMs);
        if (!output) throw new Error(`the guest broke off its answer to "${question}"`);
        if (id === this.#lastId) return { exitCode, output: output.toString('utf8') };
      }
    } finally {
      socket.close();
    }
  }
}
