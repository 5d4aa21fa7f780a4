import type { Pve } from '../api/pve.js';
import { Fault } from '../fault.js';
import { poll, retry } from '../poll.js';
import type { Clock } from '../world.js';

export interface GuestResult {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A guest and the cluster that reaches its agent. */
export interface Guest {
  readonly pve: Pve;
  readonly vmid: number;
  readonly clock: Clock;
}

/**
 * Runs a command in the guest once and waits for its end. Never repeated: it may change something.
 * @throws Fault `agent.*`; `agent.slow` when it has not ended after `limitMs` (it may still run)
 */
export async function runOnce(
  { pve, vmid, clock }: Guest,
  command: string[],
  limitMs: number,
): Promise<GuestResult> {
  const pid = await pve.agent.exec(vmid, command);
  const ended = await poll(clock, { firstMs: 60, everyMs: 1000, limitMs }, async () => {
    const state = await pve.agent.execStatus(vmid, pid);
    return state.exited ? state : null;
  });
  if (ended) return ended;
  throw new Fault(
    'agent.slow',
    `A command in guest ${vmid} has not ended after ${Math.round(limitMs / 1000)} s.`,
    { kind: 'later', hint: 'Look at the load of the guest, then run again.' },
  );
}

/**
 * Runs a command that only looks, and asks anew where an answer was lost: the agent serves one caller
 * at a time, hands out a result once, and is restarted by its own upgrade.
 */
export async function runReading(
  guest: Guest,
  command: string[],
  limitMs: number,
  tries = 4,
): Promise<GuestResult> {
  const pauseMs = (error: unknown, tried: number) =>
    error instanceof Fault && isPassing(error) ? 250 * 2 ** tried : null;
  return retry(guest.clock, { tries, pauseMs }, () => runOnce(guest, command, limitMs));
}

/** To a command that only looks it does not matter whether it ran before. */
const isPassing = ({ kind }: Fault) => kind === 'passing' || kind === 'unknown';

export const sh = (script: string): string[] => ['/bin/sh', '-c', script];
