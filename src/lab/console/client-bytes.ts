import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';

/** The client has left, or its connection was cut. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** What a client of a console sends, whatever frames it arrives in, and the way back to it. For one reader. */
export class ClientBytes {
  readonly #websocket: WebSocket;
  readonly #stream: Duplex;
  #wake: () => void = () => {};

  constructor(websocket: WebSocket) {
    this.#websocket = websocket;
    this.#stream = createWebSocketStream(websocket).on('error', () => {});
    for (const event of ['readable', 'end', 'close']) this.#stream.on(event, () => this.#wake());
  }

  /** So many bytes, or (without a number) what has come. @throws ClientGone */
  async read(length?: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.#stream.read(length) as Buffer | null;
      if (bytes && bytes.length >= (length ?? 1)) return bytes;
      if (this.#stream.readableEnded || this.#stream.destroyed) throw new ClientGone();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  write(bytes: Uint8Array | string): void {
    this.#websocket.send(Buffer.from(bytes as Uint8Array), () => {});
  }

  end(): void {
    this.#websocket.terminate();
  }
}
