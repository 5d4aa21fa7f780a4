import type { PhaseTime } from '../journal/document.js';

/** A phase as a bar on a common scale, in percent of it. */
export interface PhaseBar {
  readonly kind: 'phase';
  readonly phase: PhaseTime['phase'];
  readonly status: PhaseTime['status'];
  readonly left: number;
  readonly width: number;
  /** Null for a phase whose end was not recorded. */
  readonly tookMs: number | null;
}

/** The run was cut off and continued later. */
interface Gap {
  readonly kind: 'gap';
  readonly ms: number;
}

/** Shorter pauses stay on the scale. */
const LONG_PAUSE_MS = 60_000;
/** Narrower than this cannot be seen, in percent. */
const NARROWEST = 0.6;

/**
 * The phases of a run on one scale. Long pauses are left out of it: in a run that was continued a day later
 * every bar would be a hairline. Pure.
 * @param finishedAt ISO time of the last event
 */
export function phaseBars(timeline: readonly PhaseTime[], finishedAt: string): Array<PhaseBar | Gap> {
  const spans = timeline
    .filter(({ phase }) => phase !== 'report')
    .map((each, index, all) => ({ ...each, ...spanOf(each, index === all.length - 1, finishedAt) }));
  let shift = 0;
  let busyUntil = spans[0]?.from ?? 0;
  const origin = busyUntil;
  const placed = spans.map((span) => {
    const pause = span.from - busyUntil;
    const gap = pause >= LONG_PAUSE_MS ? pause : 0;
    shift += gap;
    busyUntil = Math.max(busyUntil, span.to);
    return { ...span, gap, start: span.from - origin - shift, end: span.to - origin - shift };
  });
  const length = Math.max(1, ...placed.map(({ end }) => end));
  return placed.flatMap(({ phase, status, endedAt, from, to, gap, start, end }): Array<PhaseBar | Gap> => {
    const width = Math.min(100, Math.max(NARROWEST, ((end - start) / length) * 100));
    const left = Math.max(0, Math.min(100 - width, (start / length) * 100));
    const bar = {
      kind: 'phase',
      phase,
      status,
      left,
      width,
      tookMs: endedAt === null ? null : to - from,
    } as const;
    return gap > 0 ? [{ kind: 'gap', ms: gap }, bar] : [bar];
  });
}

function spanOf({ begunAt, endedAt }: PhaseTime, isLast: boolean, finishedAt: string) {
  const from = Date.parse(begunAt);
  const to = endedAt === null ? (isLast ? Date.parse(finishedAt) : from) : Date.parse(endedAt);
  return { from, to: Math.max(from, to) };
}
