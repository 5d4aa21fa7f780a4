import { formatDuration } from '../config/quantity.js';
import type { Outcome } from '../config/schema.js';
import { clip, oneLine, painter, type Style } from './layout.js';
import { OUTCOME } from './outcome.js';
import { change, localTime } from './summary.js';

export interface PastRun {
  readonly runId: string;
  readonly host: string;
  readonly outcome: Outcome;
  readonly startedAt: string;
  readonly durationSeconds: number;
  readonly downtimeSeconds: number | null;
  readonly from: string | null;
  readonly to: string | null;
}

/** A line a run. Pure. */
export function historyText(runs: readonly PastRun[], { color, columns }: Style): string {
  if (runs.length === 0) return 'No run yet. The first one: pbs-ctl patch --host HOST --check\n';
  const paint = painter(color);
  const hosts = Math.max(4, ...runs.map(({ host }) => host.length));
  const head = `${'run'.padEnd(7)} ${'host'.padEnd(hosts)} ${'began'.padEnd(16)} ${'outcome'.padEnd(14)} ${'took'.padEnd(7)} ${'down'.padEnd(7)} version`;
  const lines = runs.map((run) => {
    const start = `${run.runId.padEnd(7)} ${oneLine(run.host).padEnd(hosts)} ${localTime(run.startedAt).slice(0, 16)} `;
    const rest = ` ${duration(run.durationSeconds).padEnd(7)} ${duration(run.downtimeSeconds).padEnd(7)} ${versions(run)}`;
    const room = Math.max(10, columns - start.length - 14);
    return `${start}${paint(OUTCOME[run.outcome].tone, run.outcome.padEnd(14))}${clip(rest, room)}`.trimEnd();
  });
  return `${[paint('quiet', clip(head, columns)), ...lines].join('\n')}\n`;
}

const duration = (seconds: number | null) =>
  seconds === null ? '-' : formatDuration(Math.round(seconds) * 1000);
const versions = ({ from, to }: PastRun) => (from === null ? '-' : change(from, to ?? undefined));
