import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { NotifyConfig } from '../../src/config/schema.js';
import { Secret } from '../../src/config/secret.js';
import type { RunDocument } from '../../src/report/document.js';
import { metricsText } from '../../src/report/metrics.js';
import { type NotifyMemory, notify, type SentPostponement } from '../../src/report/notify.js';
import { slackMessage } from '../../src/report/slack.js';
import { runText } from '../../src/report/text.js';

const HOSTILE = 'a<b>&"c" \u001b[31mred\u0007\nnext';
const document = (more: Partial<RunDocument> = {}): RunDocument => ({
  schemaVersion: 1,
  runId: 'k3f9x2',
  host: 'pbs01',
  mode: 'patch',
  outcome: 'patched',
  phase: 'report',
  startedAt: '2026-11-23T02:00:00.000Z',
  finishedAt: '2026-11-23T02:12:00.000Z',
  resumed: false,
  before: {
    version: '4.1.2-1',
    kernel: '6.14.8-2-pve',
    bootTime: '2026-11-01T00:00:00.000Z',
    datastores: [{ name: 'tank', state: 'ok', total: 100, used: 40, available: 60 }],
  },
  after: {
    version: '4.2.3-1',
    kernel: '6.17.4-1-pve',
    bootTime: '2026-11-23T02:10:00.000Z',
    datastores: [{ name: 'tank', state: 'ok', total: 100, used: 40, available: 60 }],
  },
  planDigest: 'f'.repeat(64),
  packages: { upgraded: [{ name: 'libssl3', from: '1', to: '2' }], installed: [], removed: [], held: [] },
  checks: [],
  reboot: {
    count: 1,
    requestedAt: '2026-11-23T02:09:00.000Z',
    downAt: '2026-11-23T02:09:02.000Z',
    upAt: '2026-11-23T02:10:02.000Z',
  },
  leftBehind: { fenced: [], locks: [] },
  retryAfter: null,
  postponements: { count: 0, since: null },
  warnings: [],
  error: null,
  ...more,
});
const postponed = (more: Partial<RunDocument> = {}) =>
  document({
    outcome: 'postponed',
    after: null,
    reboot: null,
    checks: [
      {
        id: 'pbs.tasks',
        status: 'block',
        summary: 'backup of tank:vm/101 is running',
        detail: {},
        retryAfter: null,
      },
    ],
    error: { code: 'not-safe', message: 'pbs.tasks: backup is running', hint: null },
    ...more,
  });
const many = (count: number) => ({
  upgraded: Array.from({ length: count }, (_, index) => ({
    name: `package-with-a-long-name-${index}`,
    from: '1:2.3.4-1',
    to: '1:2.3.5-1<&>',
  })),
  installed: [],
  removed: [],
  held: [],
});

describe('the report on a terminal', () => {
  const lines = (doc: RunDocument, columns = 80) => runText(doc, { color: false, columns }).split('\n');

  it.each([80, 120])('is no wider than %i columns, but for words that cannot be broken', (columns) => {
    for (const doc of [document(), postponed(), document({ packages: many(50) })])
      for (const line of lines(doc, columns)) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('begins with host and outcome', () => {
    expect(lines(document())[0]).toBe('pbs01: patched');
    expect(lines(postponed())[0]).toBe('pbs01: postponed, not safe now');
  });

  it('lets nothing that a server said reach the terminal as a control sequence', () => {
    const text = runText(
      postponed({
        checks: [{ id: 'pbs.tasks', status: 'block', summary: HOSTILE, detail: {}, retryAfter: null }],
        warnings: [HOSTILE],
      }),
      { color: false, columns: 80 },
    );
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('names the command to run where something is needed, unbroken', () => {
    expect(
      lines(document({ outcome: 'unverified', leftBehind: { fenced: ['tank'], locks: ['main'] } })).map(
        (line) => line.trim(),
      ),
    ).toContain('pbs-ctl verify --host pbs01');
    expect(lines(document()).join('\n')).not.toContain('next');
  });
});

describe('the Slack message', () => {
  const textsOf = (node: unknown): string[] =>
    Array.isArray(node)
      ? node.flatMap(textsOf)
      : node && typeof node === 'object'
        ? Object.entries(node).flatMap(([key, value]) =>
            key === 'text' && typeof value === 'string' ? [value] : textsOf(value),
          )
        : [];

  it.each([
    ['a healthy run', document()],
    ['1,000 packages', document({ packages: many(1000) })],
    [
      'a thousand blocks',
      postponed({
        checks: Array.from({ length: 1000 }, () => ({
          id: 'pbs.tasks' as const,
          status: 'block' as const,
          summary: '<&>'.repeat(900),
          detail: {},
          retryAfter: null,
        })),
      }),
    ],
    ['a host of a very long name', document({ host: 'h'.repeat(400) })],
    [
      'very long errors',
      document({
        outcome: 'failed',
        error: { code: 'x', message: '&'.repeat(9000), hint: '<'.repeat(9000) },
        warnings: Array(200).fill('w'.repeat(500)),
      }),
    ],
  ])('keeps to the limits of Block Kit for %s', (_, doc) => {
    const { blocks, text } = slackMessage(doc);
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(text.length).toBeLessThanOrEqual(3000);
    for (const block of blocks) {
      if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(150);
      if (block.type !== 'section') continue;
      expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3000);
      expect(block.fields?.length ?? 0).toBeLessThanOrEqual(10);
      for (const field of block.fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2000);
    }
  });

  it('cuts a long list of packages and says how many there are more', () => {
    expect(JSON.stringify(slackMessage(document({ packages: many(1000) })))).toMatch(/and 985 more/);
  });

  it('escapes what Slack would read as markup', () => {
    const texts = textsOf(
      slackMessage(
        postponed({
          checks: [
            { id: 'pbs.tasks', status: 'block', summary: '<!channel> & <@U1>', detail: {}, retryAfter: null },
          ],
        }),
      ).blocks,
    );
    expect(texts.join('\n')).toContain('&lt;!channel&gt; &amp; &lt;@U1&gt;');
    expect(texts.join('\n')).not.toContain('<!channel>');
  });

  it('says for a postponement which check, what was seen, when again, and how often in a row', () => {
    const texts = textsOf(
      slackMessage(
        postponed({
          retryAfter: '2026-11-23T05:00:00.000Z',
          postponements: { count: 2, since: '2026-11-20T00:00:00.000Z' },
        }),
      ).blocks,
    ).join('\n');
    expect(texts).toContain('(3 times in a row)');
    expect(texts).toContain('pbs.tasks: backup of tank:vm/101 is running');
    expect(texts).toContain('2026-11-23 05:00 UTC');
  });
});

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
const servers: Array<{ close(): void }> = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A receiver on loopback that answers one after the other as told. */
async function receiver(
  ...answers: Array<{ status: number; headers?: Record<string, string>; body?: string } | 'silence'>
) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    const answer = answers[received.length - 1] ?? answers.at(-1) ?? { status: 200 };
    if (answer === 'silence') return;
    response.writeHead(answer.status, answer.headers).end(answer.body ?? 'ok');
  });
  servers.push({ close: () => server.close().closeAllConnections() });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/sEcReT`,
    received,
  };
}

const slackTo = (on: RunDocument['outcome'][] = ['patched', 'postponed']): NotifyConfig => ({
  slack: { webhook: { env: 'SLACK' }, on, repeatPostponed: 86_400_000 },
  webhook: null,
});
function tools(url: string) {
  const waits: number[] = [];
  let now = Date.parse('2026-11-23T02:00:00Z');
  const stored = new Map<string, SentPostponement>();
  const memory: NotifyMemory = {
    get: (host) => stored.get(host) ?? null,
    set: (host, sent) => void (sent ? stored.set(host, sent) : stored.delete(host)),
  };
  return {
    waits,
    pass: (ms: number) => {
      now += ms;
    },
    tools: {
      secrets: async () => new Secret(url, 'test'),
      clock: { now: () => now, sleep: async (ms: number) => void waits.push(ms) },
      memory,
      timeoutMs: 300,
    },
  };
}

describe('telling Slack', () => {
  it('posts once where it is taken', async () => {
    const { url, received } = await receiver({ status: 200 });
    expect(await notify(document(), slackTo(), tools(url).tools)).toEqual([]);
    expect(received).toHaveLength(1);
  });

  it('waits as long as a 429 asks, and tries again', async () => {
    const { url, received } = await receiver(
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 200 },
    );
    const { tools: given, waits } = tools(url);
    expect(await notify(document(), slackTo(), given)).toEqual([]);
    expect({ tries: received.length, waits }).toEqual({ tries: 2, waits: [7000] });
  });

  it('does not wait longer than a minute, and says so', async () => {
    const { url, received } = await receiver({ status: 429, headers: { 'retry-after': '61' } });
    const [warning = ''] = await notify(document(), slackTo(), tools(url).tools);
    expect(warning).toContain('asks to wait 61 s');
    expect(received).toHaveLength(1);
  });

  it.each([[500], [429]])('gives up after three tries of %i', async (status) => {
    const { url, received } = await receiver({ status });
    const [warning = ''] = await notify(document(), slackTo(), tools(url).tools);
    expect(warning).toContain('3 tries');
    expect(received).toHaveLength(3);
  });

  it.each([[400], [403], [404]])('does not repeat what was refused with %i, and says why', async (status) => {
    const { url, received } = await receiver({ status, body: 'invalid_blocks' });
    const [warning = ''] = await notify(document(), slackTo(), tools(url).tools);
    expect(warning).toContain(`it answered ${status} "invalid_blocks"`);
    expect(received).toHaveLength(1);
  });

  it('does not wait for ever for an answer', async () => {
    const { url, received } = await receiver('silence');
    expect(await notify(document(), slackTo(), tools(url).tools)).toHaveLength(1);
    expect(received.length).toBeLessThanOrEqual(3);
  });

  it('never names the address of the webhook, which is a secret', async () => {
    const warnings = await notify(
      document(),
      slackTo(),
      tools('http://127.0.0.1:9/services/T0/B0/sEcReT').tools,
    );
    expect(warnings).toHaveLength(1);
    expect(warnings.join()).not.toMatch(/sEcReT|127\.0\.0\.1/);
  });

  it('tells the same postponement once a day, another one at once, and anew after a run that went well', async () => {
    const { url, received } = await receiver({ status: 200 });
    const { tools: given, pass } = tools(url);
    const other = postponed({
      checks: [{ id: 'pve.schedule', status: 'block', summary: 'soon', detail: {}, retryAfter: null }],
    });
    const told = async (doc: RunDocument) => {
      const before = received.length;
      await notify(doc, slackTo(), given);
      pass(3_600_000);
      return received.length > before;
    };
    expect(await told(postponed())).toBe(true);
    expect(await told(postponed())).toBe(false);
    expect(await told(other)).toBe(true);
    pass(86_400_000);
    expect(await told(other)).toBe(true);
    expect(await told(document())).toBe(true);
    expect(await told(other)).toBe(true);
  });

  it('is left out for outcomes that nobody asked for', async () => {
    const { url, received } = await receiver({ status: 200 });
    await notify(document(), slackTo(['failed']), tools(url).tools);
    expect(received).toHaveLength(0);
  });
});

describe('the generic webhook', () => {
  it('gets the report with a signature that the receiver can check', async () => {
    const { url, received } = await receiver({ status: 204 });
    const { tools: given } = tools('shared-secret');
    expect(
      await notify(document(), { slack: null, webhook: { url, secret: { env: 'HOOK' } } }, given),
    ).toEqual([]);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-pbs-ctl-signature'])) ?? [];
    expect(v1).toBe(createHmac('sha256', 'shared-secret').update(`${t}.${body}`).digest('hex'));
    expect(JSON.parse(body)).toEqual(document());
  });
});

describe('metrics', () => {
  it('are in the text format of Prometheus, one HELP and TYPE a name', () => {
    const text = metricsText([
      { run: document(), lastPatchedAt: '2026-11-23T02:12:00.000Z' },
      { run: postponed({ host: 'pbs"02' }), lastPatchedAt: null },
    ]);
    expect(text).toContain('pbs_ctl_last_run_outcome{host="pbs01",outcome="patched"} 1');
    expect(text).toContain('pbs_ctl_last_run_outcome{host="pbs\\"02",outcome="patched"} 0');
    expect(text).toContain('pbs_ctl_downtime_seconds{host="pbs01"} 60');
    expect(text).not.toContain('pbs_ctl_last_patched_timestamp_seconds{host="pbs\\"02"}');
    const names = text.split('\n').flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
    expect(new Set(names).size).toBe(names.length);
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+\{.+\} -?[\d.e+]+)$/);
  });
});
