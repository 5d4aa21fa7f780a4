import { connect, type Socket } from 'node:net';

/** A connection to a Unix socket of the emulator that speaks in lines; each wait has a limit. */
export class LineSocket {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake();
    });
    const end = () => {
      this.#closed = true;
      this.#wake();
    };
    socket.on('close', end);
    socket.on('error', end);
  }

  static open(path: string): Promise<LineSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new LineSocket(socket));
      });
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(data: string | Buffer): void {
    this.#socket.write(data);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next line; null when the connection ends or the limit (milliseconds) passes first. */
  line(limitMs: number): Promise<Buffer | null> {
    return this.#take(limitMs, () => {
      const end = this.#buffer.indexOf(0x0a);
      return end < 0 ? null : end + 1;
    });
  }

  /** So many bytes, or null. */
  bytes(count: number, limitMs: number): Promise<Buffer | null> {
    return this.#take(limitMs, () => (this.#buffer.length >= count ? count : null));
  }

  async #take(limitMs: number, length: () => number | null): Promise<Buffer | null> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const end = length();
      if (end !== null) {
        const taken = this.#buffer.subarray(0, end);
        this.#buffer = this.#buffer.subarray(end);
        return taken;
      }
      const left = deadline - performance.now();
      if (this.#closed || left <= 0) return null;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
