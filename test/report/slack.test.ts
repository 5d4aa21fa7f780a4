import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { slackMessage } from '../../src/report/slack.js';
import { anyDocument, document, finding, HOSTILE, hostile, manyPackages, postponed } from './documents.js';

/** Every text of a message, wherever it stands. */
const textsOf = (node: unknown): string[] =>
  Array.isArray(node)
    ? node.flatMap(textsOf)
    : node && typeof node === 'object'
      ? Object.entries(node).flatMap(([key, value]) =>
          key === 'text' && typeof value === 'string' ? [value] : textsOf(value),
        )
      : [];
const words = (doc: RunDocument) => textsOf(slackMessage(doc).blocks).join('\n');

/** Limits of Block Kit: https://docs.slack.dev/reference/block-kit/blocks */
function expectWithinLimits(doc: RunDocument): void {
  const { blocks, text } = slackMessage(doc);
  expect(text.length).toBeLessThanOrEqual(3000);
  expect(text).not.toBe('');
  expect(blocks.length).toBeLessThanOrEqual(50);
  for (const each of textsOf(blocks)) expect(each).not.toBe('');
  for (const block of blocks) {
    if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(150);
    if (block.type === 'context') expect(block.elements.length).toBeLessThanOrEqual(10);
    if (block.type !== 'section') continue;
    expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3000);
    expect(block.fields?.length ?? 0).toBeLessThanOrEqual(10);
    for (const field of block.fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2000);
  }
}

describe('the Slack message keeps to the limits of Block Kit', () => {
  it.each([
    ['a healthy run', document()],
    ['1,000 packages', document({ packages: manyPackages(1000) })],
    ['a thousand blocks', postponed({ checks: Array(1000).fill(finding({ summary: '<&>'.repeat(900) })) })],
    ['a host of a very long name', document({ host: 'h'.repeat(400) })],
    ['hostile names', hostile()],
    ['hostile names that are very long', hostile(HOSTILE.repeat(300))],
    [
      'very long errors',
      document({
        outcome: 'failed',
        error: { code: 'x', message: '&'.repeat(9000), hint: '<'.repeat(9000) },
        warnings: Array(200).fill('w'.repeat(500)),
      }),
    ],
    [
      'a thousand datastores left fenced',
      document({
        outcome: 'failed',
        leftBehind: { fenced: Array.from({ length: 1000 }, (_, index) => `store-${index}`), locks: ['main'] },
      }),
    ],
  ])('for %s', (_, doc) => expectWithinLimits(doc));

  it('for any run', () => fc.assert(fc.property(anyDocument, expectWithinLimits)));
});

describe('the Slack message', () => {
  it('shows the first packages and says how many there are more', () => {
    expect(words(document({ packages: manyPackages(1000) }))).toMatch(/name-14 .*\n… and 985 more/);
  });

  it('escapes what Slack would read as markup, in blocks and in the fallback alike', () => {
    const message = slackMessage(hostile('<!channel> & <@U1>'));
    const [header, ...others] = message.blocks;
    for (const text of [message.text, ...textsOf(others)])
      expect(text).not.toMatch(/<!|<@|&(?!amp;|lt;|gt;)/);
    expect(message.text).toContain('&lt;!channel&gt; &amp; &lt;@U1&gt;');
    // A header is plain text: nothing is read in it, and Slack shows entities of it as they stand.
    expect(header).toMatchObject({ type: 'header', text: { type: 'plain_text' } });
    expect(textsOf(header).join()).toContain('<!channel> & <@U1>');
  });

  it('cuts no entity in two', () => {
    for (let length = 280; length < 320; length += 1) {
      const text = words(postponed({ checks: [finding({ summary: `${'x'.repeat(length)}&&&&&&&&` })] }));
      expect(text).not.toMatch(/&(?!amp;)/);
    }
  });

  it('lets no name of a server begin a line of its own or hide what it is', () => {
    for (const text of textsOf(slackMessage(hostile()))) {
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}|[\u2028\u2029]/u);
      expect(text).not.toMatch(/^next/m);
    }
  });

  it('is read in the order outcome, facts, command, reason, run', () => {
    const text = words(
      postponed({
        retryAfter: '2026-11-23T05:00:00.000Z',
        postponements: { count: 2, since: '2026-11-20T00:00:00.000Z' },
      }),
    );
    const order = [
      'pbs01: postponed (3 times in a row)',
      '*Version*',
      '*Left behind*',
      '`pbs-ctl patch --host pbs01`',
      '*Blocked by* pbs.tasks: backup of tank:vm/101 is running',
      '2026-11-23 05:00 UTC',
      'run k3f9x2, 12m 00s',
    ].map((part) => text.indexOf(part));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('says how many datastores are back, what is missing and what was left behind', () => {
    const { before } = document();
    const tank = { name: 'tank', state: 'ok', total: 100, used: 40, available: 60 };
    const text = words(
      document({
        outcome: 'unverified',
        before: before && { ...before, datastores: [tank, { ...tank, name: 'vault' }] },
        leftBehind: { fenced: ['vault'], locks: ['main'] },
      }),
    );
    expect(text).toContain('1 of 2 back\nnot back: vault');
    expect(text).toContain('fence (read-only) on datastore vault\nlock of cluster main');
  });

  it('has a fallback that tells outcome, reason and command by itself', () => {
    expect(slackMessage(document()).text).toBe('pbs01: patched');
    expect(slackMessage(postponed()).text).toBe(
      'pbs01: postponed: pbs.tasks: backup is running Next: pbs-ctl preflight --host pbs01',
    );
  });
});
