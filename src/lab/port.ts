import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/**
 * A port on loopback, kept until the lab ends: a host that reboots must find its own again, and closed it would be
 * anybody's. While it is shut, each connection is reset before a byte is exchanged; a TLS client is as far then as
 * with one that is refused: it has no connection, and has sent no request.
 */
export class Port {
  readonly #server = createServer({ noDelay: true }, (socket) => {
    if (this.#take) this.#take(socket);
    else socket.on('error', () => {}).resetAndDestroy();
  });
  /** 0 before it is bound. */
  number = 0;
  #take: ((socket: Socket) => void) | null = null;

  /** Takes a port that is free, shut at first. */
  async bind(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.number = (this.#server.address() as AddressInfo).port;
  }

  /** From now on connections are handed on. */
  open(take: (socket: Socket) => void): void {
    this.#take = take;
  }

  shut(): void {
    this.#take = null;
  }

  /** Gives the port back. */
  async release(): Promise<void> {
    this.shut();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
