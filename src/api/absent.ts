import { Fault } from '../fault.js';

export class NoGuest extends Fault {
  constructor(cluster: string, vmid: number) {
    super(
      'pve.no-guest',
      `Guest ${vmid} does not exist in cluster "${cluster}", or the token may not see it.`,
      { hint: `Check the id, and that user and token have VM.Audit on /vms/${vmid}.` },
    );
  }
}

export const noNode = (cluster: string): Fault =>
  new Fault('pve.no-node', `No node of cluster "${cluster}" is online.`, { kind: 'passing' });
