import type { Lab, LabOptions } from '../../../src/lab/lab.js';
import { type Answer, type Caller, callerOf } from '../../conformance/caller.js';
import { withLab } from '../../support/lab.js';

/** A lab whose PVE is asked by hand, at the endpoint of pve1. */
export const asking = (
  options: LabOptions,
  act: (tools: { lab: Lab; caller: Caller }) => Promise<void>,
): Promise<void> =>
  withLab({ factor: 200, ...options }, async (lab) => {
    const caller = callerOf(lab, 'pve');
    try {
      await act({ lab, caller });
    } finally {
      await caller.close();
    }
  });

/** Status and message of an answer; of one without a body the status alone. */
export function told({ status, body }: Answer): string {
  const text = body.toString('utf8');
  return text === ''
    ? String(status)
    : `${status} ${(JSON.parse(text) as { message?: string }).message?.trim() ?? text}`;
}

export const guestOf = (lab: Lab, vmid = 900) => {
  const guest = lab.cluster.guests.get(vmid);
  if (!guest) throw new Error(`the lab has no guest ${vmid}`);
  return guest;
};
