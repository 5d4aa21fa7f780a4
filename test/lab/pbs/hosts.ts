import type { Lab, LabOptions } from '../../../src/lab/lab.js';
import type { PbsHost } from '../../../src/lab/pbs/host.js';
import { type Answer, type Caller, callerOf } from '../../conformance/caller.js';
import { withLab } from '../../support/lab.js';

/** A lab whose pbs01 is asked by hand. Ten seconds of a server are 50 ms here. */
export const asking = (
  options: LabOptions,
  act: (tools: { lab: Lab; host: PbsHost; caller: Caller }) => Promise<void>,
): Promise<void> =>
  withLab({ factor: 200, ...options }, async (lab) => {
    const host = lab.hosts.get('pbs01');
    if (!host) throw new Error('the lab has no pbs01');
    const caller = callerOf(lab, 'pbs');
    try {
      await act({ lab, host, caller });
    } finally {
      await caller.close();
    }
  });

/** Status and words of an answer. */
export const told = ({ status, body }: Answer): string => `${status} ${body.toString('utf8')}`;

export const storeOf = (host: PbsHost, name: string) => host.datastoreAt(name);

/** What a promise comes to within so many real milliseconds; `open` while it is not settled. */
export const within = <Value>(ms: number, promise: Promise<Value>): Promise<Value | 'open'> =>
  Promise.race([promise, new Promise<'open'>((resolve) => setTimeout(() => resolve('open'), ms))]);
