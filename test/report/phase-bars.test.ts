import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHASES, type PhaseTime } from '../../src/journal/document.js';
import { phaseBars } from '../../src/report/phase-bars.js';

const BEGIN = Date.parse('2026-11-23T02:00:00Z');
const at = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString();
const phase = (name: PhaseTime['phase'], from: number, to: number | null): PhaseTime => ({
  phase: name,
  begunAt: at(from),
  endedAt: to === null ? null : at(to),
  status: to === null ? 'intended' : 'done',
});

describe('the bars of the phases', () => {
  it('lie on one scale, as long as they took', () => {
    expect(phaseBars([phase('preflight', 0, 10), phase('upgrade', 10, 40)], at(40))).toMatchObject([
      { phase: 'preflight', left: 0, width: 25, tookMs: 10_000 },
      { phase: 'upgrade', left: 25, width: 75, tookMs: 30_000 },
    ]);
  });

  it('take a pause out of the scale when a run went on a day later', () => {
    const bars = phaseBars(
      [phase('preflight', 0, 10), phase('upgrade', 10, null), phase('upgrade', 86_400, 86_430)],
      at(86_430),
    );
    expect(bars).toMatchObject([
      { phase: 'preflight', width: 25 },
      { phase: 'upgrade', tookMs: null },
      { kind: 'gap', ms: 86_390_000 },
      { phase: 'upgrade', left: 25, width: 75 },
    ]);
  });

  it('reach to the last that is known where a phase never said that it ended', () => {
    expect(phaseBars([phase('preflight', 0, 10), phase('upgrade', 10, null)], at(40))).toMatchObject([
      {},
      { left: 25, width: 75, tookMs: null },
    ]);
  });

  it('leave out the report itself, which is no work on the host', () => {
    expect(phaseBars([phase('report', 0, 1)], at(1))).toEqual([]);
  });

  it('stay within the scale and can be seen, also where a clock stepped back', () => {
    const times = fc.array(
      fc.record({
        phase: fc.constantFrom(...PHASES),
        begunAt: fc.integer({ min: 0, max: 10_000 }).map(at),
        endedAt: fc.option(fc.integer({ min: 0, max: 10_000 }).map(at)),
        status: fc.constantFrom('intended', 'done', 'undone', 'skipped', 'failed'),
      }),
    );
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 10_000 }), (timeline, end) => {
        for (const bar of phaseBars(timeline, at(end))) {
          if (bar.kind === 'gap') continue;
          expect(bar.left).toBeGreaterThanOrEqual(0);
          expect(bar.width).toBeGreaterThanOrEqual(0.6);
          expect(bar.left + bar.width).toBeLessThanOrEqual(100.001);
        }
      }),
    );
  });
});
