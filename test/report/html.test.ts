import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../src/config/schema.js';
import type { PhaseTime, RunDocument } from '../../src/journal/document.js';
import { htmlReport } from '../../src/report/html.js';
import { html } from '../../src/report/html-markup.js';
import { anyDocument, document, finding, hostile, manyPackages, postponed } from './documents.js';

const at = (seconds: number) => new Date(Date.parse('2026-11-23T02:00:00Z') + seconds * 1000).toISOString();
const timeline: PhaseTime[] = [
  { phase: 'preflight', begunAt: at(0), endedAt: at(4), status: 'done' },
  { phase: 'upgrade', begunAt: at(4), endedAt: at(184), status: 'done' },
  { phase: 'reboot', begunAt: at(184), endedAt: at(184), status: 'skipped' },
];
const page = (doc: RunDocument, times = timeline) => htmlReport(doc, times);
const tagsOf = (text: string) => text.match(/<[a-z!/][^>]*>/gi) ?? [];
const withoutTags = (text: string) => text.replace(/<style>[\s\S]*<\/style>/, '').replace(/<[^>]*>/g, '');
const tank = { name: 'tank', state: 'ok', total: 100, used: 40, available: 60 };

describe('the HTML report', () => {
  it('is one file without scripts and with nothing to load', () => {
    expect(page(document())).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bon\w+=|url\(|@import|https?:/i);
  });

  it('forbids scripts and loading in its head, should anything ever slip through', () => {
    expect(page(document())).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    );
  });

  it('has the same tags for hostile names as for harmless ones', () => {
    // What differs is in the text only: no name has opened, closed or changed a tag.
    expect(tagsOf(page(hostile()))).toEqual(tagsOf(page(hostile('harmless'))));
  });

  it('shows nothing that redraws a line or turns the direction of writing', () => {
    expect(page(hostile()).replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}|[\u2028\u2029]/u);
  });

  it('opens and closes every tag, whatever came of the run', () => {
    fc.assert(
      fc.property(anyDocument, (doc) => {
        const open: string[] = [];
        for (const tag of tagsOf(page(doc))) {
          const name = /^<\/?([a-z0-9]+)/i.exec(tag)?.[1] ?? '';
          if (['meta', 'doctype', ''].includes(name.toLowerCase())) continue;
          if (tag.startsWith('</')) expect(open.pop()).toBe(name);
          else open.push(name);
        }
        expect(open).toEqual([]);
        expect(page(doc)).not.toMatch(/undefined|NaN|Infinity|\[object/);
      }),
      { numRuns: 200 },
    );
  });

  it.each(OUTCOMES)('says %s in words before everything else', (outcome) => {
    const text = withoutTags(page(document({ outcome })).split('<body>')[1] ?? '').trim();
    expect(
      text
        .split(/\s*\n\s*/)
        .slice(0, 2)
        .join(': '),
    ).toMatch(new RegExp(`^pbs01: ${outcome.replace('-', ' ')}`));
  });

  it('shows versions, packages, downtime with its moments, and what was left behind', () => {
    const text = withoutTags(page(document({ leftBehind: { fenced: ['tank'], locks: ['main'] } })));
    for (const part of [
      '4.1.2-1 → 4.2.3-1',
      '6.14.8-2-pve → 6.17.4-1-pve',
      '1 upgraded',
      '1m 00s',
      'requested 02:09:00 UTC, down 02:09:02, back 02:10:02',
      'fence (read-only) on datastore tank',
      'lock of cluster main',
    ])
      expect(text).toContain(part);
  });

  it('shows a datastore that did not come back, and one that is full', () => {
    const { before, after } = document();
    if (!before || !after) throw new Error('the document has both');
    const text = page(
      document({
        before: { ...before, datastores: [tank, { ...tank, name: 'vault' }] },
        after: { ...after, datastores: [{ ...tank, used: 96 }] },
      }),
    );
    expect(withoutTags(text)).toContain('1 of 2 back');
    expect(withoutTags(text)).toMatch(/vault missing\s+before40 B of 100 B, 40 %\s+afternot there/);
    expect(text).toContain('<i class="careful" style="width:96.00%">');
  });

  it('says how full datastores were before where the run did not come to an afterwards', () => {
    const text = withoutTags(page(postponed()));
    expect(text).toContain('before40 B of 100 B, 40 %');
    expect(text).not.toContain('not there');
  });

  it('shows every check, those that blocked and warned first', () => {
    const checks = [
      finding({ id: 'pbs.api', status: 'pass', summary: 'seen-1' }),
      finding({ id: 'pbs.jobs', status: 'warn', summary: 'seen-2' }),
      finding({ id: 'pbs.tasks', status: 'block', summary: 'seen-3' }),
    ];
    expect(withoutTags(page(postponed({ checks }))).match(/seen-\d/g)).toEqual([
      'seen-3',
      'seen-2',
      'seen-1',
    ]);
  });

  it('shows how long each phase took, in words beside its bar', () => {
    const text = withoutTags(page(document()));
    expect(text).toMatch(/preflight4s\s+upgrade3m 00s\s+rebootskipped/);
  });

  it.each([
    ['postponed', 'preflightstopped, 4s', 'careful'],
    ['failed', 'preflightfailed, 4s', 'bad'],
  ] as const)('says of a run that is %s that its last phase %s', (outcome, words, tone) => {
    const [first] = timeline;
    if (!first) throw new Error('there is a first phase');
    const text = page(document({ outcome }), [{ ...first, status: 'failed' }]);
    expect(withoutTags(text)).toContain(words);
    expect(text).toContain(`<i class="${tone}" style="left:0.00%`);
  });

  it('shows all of 1,000 packages, and those held back', () => {
    const packages = { ...manyPackages(1000), held: ['zfs-initramfs'] };
    const text = withoutTags(page(document({ packages })));
    expect(text.match(/package-with-a-long-name-/g)).toHaveLength(1000);
    expect(text).toContain('zfs-initramfs');
  });

  it('says when it is safe again, how often in a row it was not, and the command', () => {
    const text = withoutTags(
      page(
        postponed({
          retryAfter: '2026-11-23T05:00:00.000Z',
          postponements: { count: 2, since: '2026-11-20T00:00:00.000Z' },
        }),
      ),
    );
    expect(text).toContain('Expected to be safe from 2026-11-23 05:00 UTC.');
    expect(text).toContain('Postponed 3 times in a row, since 2026-11-20 00:00 UTC.');
    expect(text).toContain('pbs-ctl patch --host pbs01');
  });
});

describe('markup', () => {
  it('escapes what is put in, in text and in attributes, and takes markup as it is', () => {
    const inner = html`<b>${'<i>'}</b>`;
    expect(html`<p title="${`"'&`}">${inner}${[inner, inner]}${1}</p>`.text).toBe(
      '<p title="&quot;&#39;&amp;"><b>&lt;i&gt;</b><b>&lt;i&gt;</b>\n<b>&lt;i&gt;</b>1</p>',
    );
  });
});
