import type { WebSocket } from 'ws';

/** No more bytes will come: the other side, the network or the time limit has ended it. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded';
}

/** More than any screen needs at once; what is not read must not fill the memory. */
const UNREAD_LIMIT_BYTES = 256 * 1024 * 1024;

/** The bytes of a websocket, whose frames mean nothing: to be read in the portions that a protocol has. */
export class ByteStream {
  readonly #socket: WebSocket;
  #chunks: Buffer[] = [];
  #unread = 0;
  #ended: StreamEnded | null = null;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const chunk = Buffer.isBuffer(data)
        ? data
        : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
      this.#chunks.push(chunk);
      this.#unread += chunk.length;
      if (this.#unread > UNREAD_LIMIT_BYTES) this.end('it sends more than is read');
      this.#wake();
    });
    socket.on('close', (code, reason) =>
      this.end(reason.toString() || `the connection was closed (${code})`),
    );
    socket.on('error', (error) => this.end(error.message));
  }

  /** Exactly so many bytes. @throws StreamEnded */
  async read(length: number): Promise<Buffer> {
    while (this.#unread < length) await this.#more();
    return this.#take(length);
  }

  /** What has come, at least one byte. @throws StreamEnded */
  async readSome(): Promise<Buffer> {
    while (this.#unread === 0) await this.#more();
    return this.#take(this.#unread);
  }

  write(bytes: Uint8Array): void {
    if (!this.#ended) this.#socket.send(bytes);
  }

  /** A pending read is told why. */
  end(why = 'it was given up'): void {
    this.#ended ??= new StreamEnded(why);
    this.#socket.terminate();
    this.#wake();
  }

  async #more(): Promise<void> {
    if (this.#ended) throw this.#ended;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(length: number): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (!all) return Buffer.alloc(0);
    const rest = all.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#unread = rest.length;
    return all.subarray(0, length);
  }
}
