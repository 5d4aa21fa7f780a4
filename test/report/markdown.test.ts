import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhaseTime } from '../../src/journal/document.js';
import { markdownReport } from '../../src/report/markdown.js';
import { anyDocument, document, hostile, manyPackages, postponed } from './documents.js';

const timeline: PhaseTime[] = [
  { phase: 'preflight', begunAt: '2026-11-23T02:00:00Z', endedAt: '2026-11-23T02:00:04Z', status: 'done' },
  { phase: 'upgrade', begunAt: '2026-11-23T02:00:04Z', endedAt: null, status: 'intended' },
];

describe('the Markdown report', () => {
  it('begins with host and outcome, and holds what the others hold', () => {
    const text = markdownReport(document(), timeline);
    expect(text).toMatch(/^# pbs01: patched\n/);
    for (const part of [
      '| Version | 4.1.2-1 → 4.2.3-1 |',
      '| Downtime | 1m 00s (requested 02:09:00 UTC, down 02:09:02, back 02:10:02) |',
      '| Datastores | 1 of 1 back |',
      '| tank | ok | 40 B of 100 B, 40 % | 40 B of 100 B, 40 % |',
      '- libssl3 1 → 2',
      '- preflight: 4s',
      '- upgrade: not ended',
    ])
      expect(text).toContain(part);
  });

  it('lets nothing that a server said become markup, a row or a line', () => {
    const text = markdownReport(hostile(), timeline);
    // Between what is markup of ours, every letter that could begin some is escaped.
    const theirs = text
      .split('\n')
      .filter((line) => line.includes('alert') && !line.startsWith('    pbs-ctl'));
    expect(theirs.length).toBeGreaterThan(8);
    for (const line of theirs) {
      expect(line).toMatch(
        /\\<script\\>alert\(1\)\\<\/script\\> \\<\\!channel\\> \\\[z\\\]\(http:\/\/q\) \\~s\\~ \\`t\\` \\\|u\\\|/,
      );
      expect(line).not.toMatch(/^next/);
    }
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}|[\u2028\u2029]/u);
  });

  it('does not strike out the versions of Debian, which are full of tildes', () => {
    expect(markdownReport(document({ packages: manyPackages(1) }), timeline)).toContain(
      '1:2.3.4-1\\~bpo13+1',
    );
  });

  it('says when it is safe again, how often in a row it was not, and the command', () => {
    const text = markdownReport(
      postponed({
        retryAfter: '2026-11-23T05:00:00.000Z',
        postponements: { count: 2, since: '2026-11-20T00:00:00.000Z' },
      }),
      [],
    );
    expect(text).toContain('Expected to be safe from 2026-11-23 05:00 UTC.');
    expect(text).toContain('Postponed 3 times in a row, since 2026-11-20 00:00 UTC.');
    expect(text).toContain('\n\n    pbs-ctl patch --host pbs01\n');
  });

  it('of a failure names both, how to see what is wrong and how to go on', () => {
    const text = markdownReport(
      document({ outcome: 'unverified', leftBehind: { fenced: ['tank'], locks: ['main'] } }),
      [],
    );
    expect(text).toContain('\n\n    pbs-ctl recover --host pbs01\n');
    expect(text).toContain('\n\n    pbs-ctl patch --host pbs01\n');
  });

  it('has in every table as many cells a row as its head, whatever came of the run', () => {
    fc.assert(
      fc.property(anyDocument, (doc) => {
        const cells = (line: string) => line.replace(/\\\|/g, '').split('|').length;
        let head = 0;
        for (const line of markdownReport(doc, timeline).split('\n')) {
          if (!line.startsWith('|')) head = 0;
          else if (head === 0) head = cells(line);
          else expect(cells(line)).toBe(head);
        }
      }),
    );
  });
});
