import { z } from 'zod';
import { number, optional, text } from './answer.js';
import type { ByteStream } from './byte-stream.js';
import type { GuestPlaces } from './guest-places.js';
import type { Server } from './request.js';

const ConsoleTicket = z.object({
  port: number,
  ticket: text.min(1),
  user: text,
  password: optional(text),
});

/** A connection to the console of a guest, and what opens it. All but the stream is secret. */
interface ConsoleLine {
  readonly stream: ByteStream;
  /** Who asked, as the text console wants it. */
  readonly user: string;
  readonly ticket: string;
  /** For the screen; only its first 8 characters count. */
  readonly password: string;
}

/**
 * Opens consoles of guests. The port is one of the node that was asked, whichever node the guest is on,
 * so the ticket and the websocket go to the same one; within 10 s, then PVE has given it up.
 */
export class GuestConsole {
  readonly #server: Server;
  readonly #places: GuestPlaces;

  constructor(server: Server, places: GuestPlaces) {
    this.#server = server;
    this.#places = places;
  }

  /** The screen, as RFB (VNC). A serial display is rendered as one. */
  screen(vmid: number): Promise<ConsoleLine> {
    return this.#open(vmid, 'vncproxy', { websocket: true });
  }

  /** A serial console, as text. With a token only from qemu-server 9.1.7 on: before, it is closed after the greeting. */
  serial(vmid: number, port: string): Promise<ConsoleLine> {
    return this.#open(vmid, 'termproxy', { serial: port });
  }

  #open(
    vmid: number,
    kind: 'vncproxy' | 'termproxy',
    parameters: Readonly<Record<string, string | boolean>>,
  ): Promise<ConsoleLine> {
    const needs = { privilege: 'VM.Console', path: `/vms/${vmid}` };
    return this.#server.onOne((one) =>
      this.#places.on(vmid, async (path) => {
        // What it starts ends by itself: a lost answer leaves nothing.
        const { port, ticket, user, password } = await one.ask(
          { method: 'POST', path: `${path}/${kind}`, parameters, effect: false, needs },
          ConsoleTicket,
        );
        const stream = await one.dial(`${path}/vncwebsocket`, { port, vncticket: ticket });
        // Before PVE 9.1.7 the ticket is the password.
        return { stream, user, ticket, password: password ?? ticket };
      }),
    );
  }
}
