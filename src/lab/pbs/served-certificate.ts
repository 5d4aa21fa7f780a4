import { type Certificate, makeCertificate } from '../certificate.js';
import type { GuestMachine } from '../guest-machine.js';
import type { LabServer } from '../https.js';

/** The certificate in the file of a host, and the one that its proxy serves: a new one is served from its next start or reload. */
export class ServedCertificate {
  readonly #machine: GuestMachine;
  readonly #server: LabServer;
  #waiting: Certificate | null = null;

  constructor(machine: GuestMachine, server: LabServer) {
    this.#machine = machine;
    this.#server = server;
    let before = '';
    server.certified = ({ cert }) => {
      machine.putCertificate?.('served', cert);
      if (!this.#waiting && cert !== before) machine.putCertificate?.('file', cert);
      before = cert;
    };
  }

  /** @returns the fingerprint of the new one */
  async renew(): Promise<string> {
    this.#waiting = await makeCertificate(this.#server.name);
    this.#machine.putCertificate?.('file', this.#waiting.cert);
    return this.#waiting.fingerprint;
  }

  /** @returns whether there was a new one */
  read(): boolean {
    if (!this.#waiting) return false;
    this.#server.takeCertificate(this.#waiting);
    this.#waiting = null;
    return true;
  }
}
