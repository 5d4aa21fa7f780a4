import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metricsText, writeMetrics } from '../../src/report/metrics.js';
import { anyDocument, document, hostile, postponed } from './documents.js';

/** The text format, as strictly as the exporter reads it: each line, and that a name's samples stand together. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  let current = '';
  const done = new Set<string>();
  expect(text === '' || text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP (pbs_ctl_[a-z_]+) (\S.*)$/.exec(line);
    if (help?.[1]) {
      done.add(current);
      current = help[1];
      expect(done.has(current)).toBe(false);
      continue;
    }
    if (line.startsWith('#')) {
      expect(line).toBe(`# TYPE ${current} gauge`);
      continue;
    }
    const sample =
      /^([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line);
    expect(sample?.[1], line).toBe(current);
    const key = `${sample?.[1]}{${sample?.[2]}}`;
    expect(samples.has(key), `twice: ${key}`).toBe(false);
    samples.set(key, Number(sample?.[3]));
  }
  return samples;
}

describe('the metrics', () => {
  it('tell of each host its last run', () => {
    const samples = parse(
      metricsText([
        { run: document(), lastPatchedAt: '2026-11-23T02:12:00.000Z' },
        { run: postponed({ host: 'pbs02', postponements: { count: 2, since: null } }), lastPatchedAt: null },
      ]),
    );
    expect(Object.fromEntries(samples)).toMatchObject({
      'pbs_ctl_last_run_timestamp_seconds{host="pbs01"}': 1795399920,
      'pbs_ctl_last_run_duration_seconds{host="pbs01"}': 720,
      'pbs_ctl_last_run_outcome{host="pbs01",outcome="patched"}': 1,
      'pbs_ctl_last_run_outcome{host="pbs01",outcome="failed"}': 0,
      'pbs_ctl_last_run_outcome{host="pbs02",outcome="postponed"}': 1,
      'pbs_ctl_last_patched_timestamp_seconds{host="pbs01"}': 1795399920,
      'pbs_ctl_postponements_in_a_row{host="pbs01"}': 0,
      'pbs_ctl_postponements_in_a_row{host="pbs02"}': 3,
      'pbs_ctl_downtime_seconds{host="pbs01"}': 60,
      'pbs_ctl_packages_upgraded{host="pbs01"}': 1,
      'pbs_ctl_left_behind{host="pbs01",kind="fence"}': 0,
    });
  });

  it('leave out what is not known, since it is not 0', () => {
    const text = metricsText([{ run: postponed(), lastPatchedAt: null }]);
    expect(text).not.toMatch(/downtime_seconds|last_patched/);
    const cutOff = document({ outcome: 'failed', packagesKnown: false });
    expect(metricsText([{ run: cutOff, lastPatchedAt: null }])).not.toContain('packages_upgraded');
  });

  it('can be read whatever came of a run, and whatever it is called', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyDocument, { maxLength: 4, selector: ({ host }) => host }), (runs) => {
        parse(metricsText(runs.map((run) => ({ run, lastPatchedAt: run.retryAfter }))));
      }),
    );
    parse(metricsText([{ run: hostile('a"b\\c\nd'), lastPatchedAt: null }]));
  });

  it('of no host are empty', () => expect(metricsText([])).toBe(''));
});

describe('the metrics file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-metrics-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('can be read by the exporter, which is another user, whatever the umask', () => {
    const path = join(folder, 'pbs_ctl.prom');
    const before = process.umask(0o077);
    try {
      writeMetrics(path, 'x 1\n');
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it.each([
    ['its folder is not there', () => join(folder, 'nowhere', 'pbs_ctl.prom')],
    [
      'a folder lies in its place',
      () => {
        mkdirSync(join(folder, 'pbs_ctl.prom'));
        return join(folder, 'pbs_ctl.prom');
      },
    ],
  ])('is a fault with a hint where %s, and nothing half is left', (_, prepare) => {
    const path = prepare();
    const before = readdirSync(folder);
    expect(() => writeMetrics(path, 'x 1\n')).toThrowError(
      expect.objectContaining({
        code: 'metrics.unwritable',
        hint: expect.stringContaining('metrics.textfile'),
      }),
    );
    expect(readdirSync(folder)).toEqual(before);
  });

  it('of before stays whole where the new one cannot be written', () => {
    const path = join(folder, 'file', 'pbs_ctl.prom');
    writeFileSync(join(folder, 'file'), 'a file where a folder should be');
    expect(() => writeMetrics(path, 'x 1\n')).toThrowError(
      expect.objectContaining({ code: 'metrics.unwritable' }),
    );
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('a file where a folder should be');
  });
});
