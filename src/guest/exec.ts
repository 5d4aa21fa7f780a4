import type { Deadline } from '../api/deadline.js';
import type { Pve } from '../api/pve.js';
import { Fault } from '../fault.js';
import { poll, retry } from '../poll.js';
import type { Clock } from '../world.js';

interface GuestResult {
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
  /** Of a command that only reads: what it does in the guest ends with it. */
  readonly deadline?: Deadline;
}

/**
 * Runs a command in the guest once and waits for it. Never repeated: it may change something.
 * @throws Fault `agent.*`; `agent.slow` when it has not ended after `longestMs` (it may still run)
 */
export async function runOnce(
  { pve, vmid, clock, deadline }: Guest,
  command: string[],
  longestMs: number,
): Promise<GuestResult> {
  const pid = await pve.agent.exec(vmid, command);
  const limitMs = deadline?.within(longestMs) ?? longestMs;
  const ended = await poll(clock, { firstMs: 60, everyMs: 1000, limitMs }, async () => {
    const state = await pve.agent.execStatus(vmid, pid);
    return state.exited ? state : null;
  });
  if (ended) return ended;
  throw new Fault(
    'agent.slow',
    `A command in guest ${vmid} has not ended after ${Math.round(limitMs / 1000)} s.`,
    { kind: 'later', hint: 'Look for a mount that hangs in the guest, and at its load; then run again.' },
  );
}

/**
 * Runs a read-only command, again where an answer was lost: the agent serves one caller at a time, returns a
 * result once, and is restarted by its own upgrade.
 */
export async function runReading(
  guest: Guest,
  command: string[],
  limitMs: number,
  tries = 4,
): Promise<GuestResult> {
  const pauseMs = (error: unknown, tried: number) =>
    error instanceof Fault && isPassing(error) && (guest.deadline?.allowsAnother ?? true)
      ? 250 * 2 ** tried
      : null;
  return retry(guest.clock, { tries, pauseMs }, () => runOnce(guest, command, limitMs));
}

/** To a command that only looks it does not matter whether it ran before. */
const isPassing = ({ kind }: Fault) => kind === 'passing' || kind === 'unknown';

export const sh = (script: string): string[] => ['/bin/sh', '-c', script];

/**
 * Shell function of a script that looks: runs a command and marks its output, what it wrote to stderr, and its exit
 * code for {@link readParts}. A warning on stderr is not part of the answer.
 */
export const PART =
  'part() { printf \'\\n@@%s\\n\' "$1"; shift; { err=$("$@" 2>&1 >&3); code=$?; } 3>&1; printf \'\\n@@!\\n%s\\n@@=%s\\n\' "$err" "$code"; }';

interface Part {
  readonly text: string;
  readonly stderr: string;
  readonly code: number;
}

/** What each part wrote, and its exit code; the part `end` shows that nothing is missing. */
export function readParts(output: string): Map<string, Part> {
  const parts = new Map<string, Part>();
  const markers = [...output.matchAll(/^@@([a-z]+)\n([\s\S]*?)(?:\n@@=(\d+)$|(?![\s\S]))/gm)];
  for (const [, name = '', all = '', code] of markers) {
    const [text = '', stderr = ''] = all.split(/^@@!\n/m);
    parts.set(name, {
      text: text.replace(/\n+$/, ''),
      stderr: stderr.trim(),
      code: code === undefined ? 0 : Number(code),
    });
  }
  return parts;
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** The first word of each line: the units in a list of systemctl. */
export const firstWords = (text: string): string[] =>
  lines(text).map((line) => line.trim().split(/\s+/)[0] ?? line);
