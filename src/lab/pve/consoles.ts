import { randomBytes } from 'node:crypto';
import type { ClientBytes } from '../console/client-bytes.js';
import { serveScreen } from '../console/rfb-server.js';
import { serveSerial } from '../console/serial-server.js';
import type { PveCluster } from './cluster.js';
import type { SimulatedGuest } from './state.js';

interface Waiting {
  readonly kind: 'vnc' | 'term';
  readonly serial: string;
  readonly guest: SimulatedGuest;
  readonly tokenId: string;
  /** The node that was asked, where the port is. */
  readonly receiver: string;
  readonly ticket: string;
  readonly password: string;
}

const FIRST_PORT = 5900;
const PORTS = 100;
/** Seconds that a worker waits for a connection: of the clients' clock, which no factor hastens. */
const PATIENCE = 10;

/** Consoles that were requested and wait for their websocket. */
export class Consoles {
  readonly #cluster: PveCluster;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(cluster: PveCluster) {
    this.#cluster = cluster;
  }

  /** What POST vncproxy and termproxy answer. */
  open(
    guest: SimulatedGuest,
    asked: {
      readonly kind: 'vnc' | 'term';
      readonly serial: string;
      readonly tokenId: string;
      readonly receiver: string;
    },
  ): Record<string, unknown> {
    const cluster = this.#cluster;
    const port = FIRST_PORT + (this.#next++ % PORTS);
    const old = cluster.version === '8.4';
    const secret = randomBytes(4).toString('hex');
    const bare = `PVEVNC:${randomBytes(4).toString('hex').toUpperCase()}::${randomBytes(24).toString('base64')}`;
    const ticket = old || asked.kind === 'term' ? bare : `${secret}:${bare}`;
    // Without a password of its own the first eight characters of the ticket are it.
    const password = old ? ticket.slice(0, 8) : secret;
    const waiting = { ...asked, guest, ticket, password };
    this.#waiting.set(port, waiting);
    cluster.time.after(PATIENCE * cluster.time.factor, () => {
      if (this.#waiting.get(port) === waiting) this.#waiting.delete(port);
    });
    const { upid } = cluster.startTask({
      node: asked.receiver,
      type: 'vncproxy',
      id: String(guest.vmid),
      user: asked.tokenId,
      seconds: PATIENCE,
    });
    return {
      user: asked.tokenId,
      ticket,
      port: String(port),
      upid,
      ...(asked.kind === 'vnc' && { cert: '-----BEGIN CERTIFICATE-----\n' }),
      ...(asked.kind === 'vnc' && !old && { password }),
    };
  }

  /** Takes what waits on a port; null for a wrong ticket, another caller, another node, or where nothing waits. */
  take(
    port: number,
    { ticket, tokenId, receiver, vmid }: { ticket: string; tokenId: string; receiver: string; vmid: number },
  ): ((client: ClientBytes) => Promise<void>) | null {
    const found = this.#waiting.get(port);
    const fits =
      found?.ticket === ticket &&
      found.tokenId === tokenId &&
      found.receiver === receiver &&
      found.guest.vmid === vmid;
    if (!fits) return null;
    this.#waiting.delete(port);
    return (client) => this.#serve(found, client);
  }

  async #serve(
    { kind, guest, ticket, tokenId, password, serial }: Waiting,
    client: ClientBytes,
  ): Promise<void> {
    const lines = () => guest.machine?.screen?.() ?? [];
    if (guest.machine?.power !== 'running') return;
    if (kind === 'vnc') return serveScreen(client, { name: guest.name, password, lines });
    const refuses = this.#cluster.version === '8.4';
    return serveSerial(client, { expected: `${tokenId}:${ticket}`, port: serial, refuses, lines });
  }
}
