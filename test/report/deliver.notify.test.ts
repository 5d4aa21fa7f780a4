import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { NotifyConfig } from '../../src/config/schema.js';
import { Secret } from '../../src/config/secret.js';
import { Fault } from '../../src/fault.js';
import type { RunDocument } from '../../src/journal/document.js';
import { makeCertificate } from '../../src/lab/certificate.js';
import { notify as deliverTo, signature } from '../../src/report/deliver.js';
import { judgeStatus, retryAfterMs } from '../../src/report/post.js';
import { runNode } from '../support/node.js';
import { document, finding, postponed } from './documents.js';
import { type Answer, receiver } from './receiver.js';

const HOUR = 3_600_000;
const BEGIN = Date.parse('2026-11-23T02:00:00Z');

/** A clock that only moves when it is told to, or slept on: no test waits. */
function tools(secret: string, { timeoutMs = 30_000 }: { timeoutMs?: number } = {}) {
  const slept: number[] = [];
  let now = BEGIN;
  return {
    slept,
    pass: (ms: number) => {
      now += ms;
    },
    given: {
      secrets: async () => new Secret(secret, 'test'),
      clock: {
        now: () => now,
        timeout: (ms: number) => AbortSignal.timeout(ms),
        sleep: async (ms: number) => {
          slept.push(ms);
          now += ms;
        },
      },
      env: {},
      lastTold: null,
      timeoutMs,
    },
  };
}
/** The warnings alone. */
const notify = async (...given: Parameters<typeof deliverTo>) => (await deliverTo(...given)).warnings;
const slack = (on: RunDocument['outcome'][] = ['patched', 'postponed']): NotifyConfig => ({
  slack: { webhook: { env: 'SLACK' }, on, repeatPostponed: 24 * HOUR },
  webhook: null,
});
const hook = (url: string): NotifyConfig => ({ slack: null, webhook: { url, secret: { env: 'HOOK' } } });

/** Both receivers keep to the same rules of patience. */
const RECEIVERS = [
  ['Slack', (url: string, options = {}) => ({ config: slack(), ...tools(url, options) })],
  ['the webhook', (url: string, options = {}) => ({ config: hook(url), ...tools('shared', options) })],
] as const;

describe.each(RECEIVERS)('telling %s', (_, telling) => {
  const tell = async (answers: readonly Answer[], options: { timeoutMs?: number } = {}) => {
    const { url, received } = await receiver(answers);
    const { config, given, slept } = telling(url, options);
    const warnings = await notify(document(), config, given);
    return { warnings, slept, tries: received.length };
  };

  it('posts once where it is taken', async () => {
    expect(await tell([{ status: 200 }])).toEqual({ warnings: [], slept: [], tries: 1 });
  });

  it('waits as long as a 429 asks, and tries again', async () => {
    expect(await tell([{ status: 429, headers: { 'retry-after': '7' } }, { status: 200 }])).toEqual({
      warnings: [],
      slept: [7000],
      tries: 2,
    });
  });

  it('understands a Retry-After that is a date', async () => {
    const headers = { 'retry-after': 'Mon, 23 Nov 2026 02:00:30 GMT' };
    expect(await tell([{ status: 429, headers }, { status: 200 }])).toMatchObject({
      slept: [30_000],
      tries: 2,
    });
  });

  it('waits for a whole minute, but not longer, and says so', async () => {
    const asks = (seconds: string) =>
      tell([{ status: 429, headers: { 'retry-after': seconds } }, { status: 200 }]);
    expect(await asks('60')).toMatchObject({ slept: [60_000], warnings: [] });
    const { warnings, slept, tries } = await asks('61');
    expect({ slept, tries }).toEqual({ slept: [], tries: 1 });
    expect(warnings[0]).toContain('asks to wait 61 s');
  });

  it.each([[500], [503], [429]])('gives up after three tries of %i', async (status) => {
    const { warnings, slept, tries } = await tell([{ status }]);
    expect(warnings[0]).toContain(`it answered ${status} (3 tries)`);
    expect({ tries, slept }).toEqual({ tries: 3, slept: [1000, 4000] });
  });

  it.each([
    [400],
    [401],
    [403],
    [404],
    [410],
    [413],
  ])('does not repeat what was refused with %i', async (status) => {
    const { warnings, tries } = await tell([{ status }]);
    expect(warnings[0]).toContain(`it answered ${status}`);
    expect(tries).toBe(1);
  });

  it('follows no redirect: a report goes where the config says and nowhere else', async () => {
    const elsewhere = await receiver([{ status: 200 }]);
    const { warnings, tries } = await tell([{ status: 307, headers: { location: elsewhere.url } }]);
    expect(warnings[0]).toContain('it answered 307');
    expect({ tries, elsewhere: elsewhere.received.length }).toEqual({ tries: 1, elsewhere: 0 });
  });

  it('tries again where the connection is cut', async () => {
    expect(await tell(['cut', { status: 200 }])).toMatchObject({ warnings: [], tries: 2 });
  });

  it('does not wait for ever for an answer', async () => {
    const { warnings, tries } = await tell(['silence'], { timeoutMs: 100 });
    expect(warnings).toHaveLength(1);
    expect(tries).toBeLessThanOrEqual(3);
  });

  it('never names the address, which is a secret', async () => {
    const { config, given } = telling('http://127.0.0.1:9/services/T0/B0/sEcReT');
    const warnings = await notify(document(), config, given);
    expect(warnings[0]).toContain('cannot be reached');
    expect(warnings.join()).not.toMatch(/sEcReT|127\.0\.0\.1/);
  });

  it('whose secret cannot be had is a warning too, and says which', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    const { config, given } = telling(url);
    const secrets = () =>
      Promise.reject(new Fault('config.secret', 'The environment variable X is not set.'));
    expect((await notify(document(), config, { ...given, secrets }))[0]).toContain('variable X is not set');
    expect(received).toHaveLength(0);
  });
});

describe('telling Slack', () => {
  it('says in its words why it refused, unless they could be something else', async () => {
    const refused = async (body: string) => {
      const { url } = await receiver([{ status: 400, body }]);
      return (await notify(document(), slack(), tools(url).given)).join();
    };
    expect(await refused('invalid_blocks')).toContain('it answered 400 "invalid_blocks"');
    expect(await refused('no such hook: /services/T0/B0/sEcReT')).not.toContain('sEcReT');
  });

  it('is not kept waiting by an answer that stalls', async () => {
    const { url } = await receiver(['stalled']);
    const { given } = tools(url, { timeoutMs: 100 });
    // What came of it is not known, only that it is over.
    expect((await notify(document(), slack(), given)).length).toBeLessThanOrEqual(1);
  });

  it.each([
    ['http to another machine', 'http://hooks.example.net/services/x'],
    ['no address', 'nonsense'],
  ])('posts nothing where the secret is %s', async (_, url) => {
    const [warning] = await notify(document(), slack(), tools(url).given);
    expect(warning).toContain('neither https nor on loopback');
  });

  it('is left out for outcomes that the config does not name', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    expect(await notify(document(), slack(['failed']), tools(url).given)).toEqual([]);
    expect(received).toHaveLength(0);
  });
});

describe('a postponement', () => {
  const other = postponed({ checks: [finding({ id: 'pve.schedule', summary: 'soon' })] });

  /** Whether each of these runs, an hour apart, was told. */
  async function told(runs: ReadonlyArray<RunDocument | 'a day passes'>) {
    const { url, received } = await receiver([{ status: 200 }]);
    const { given, pass } = tools(url);
    let lastTold: { reasons: string; at: string } | null = null;
    const results: boolean[] = [];
    for (const run of runs) {
      if (run === 'a day passes') {
        pass(24 * HOUR);
        continue;
      }
      const before = received.length;
      const { warnings, told: reasons } = await deliverTo(run, slack(), { ...given, lastTold });
      expect(warnings).toEqual([]);
      results.push(received.length > before);
      expect(reasons !== null).toBe(results.at(-1));
      if (reasons !== null) lastTold = { reasons, at: new Date(given.clock.now()).toISOString() };
      pass(HOUR);
    }
    return results;
  }

  it.each<[string, Array<RunDocument | 'a day passes'>, boolean[]]>([
    [
      'for the same reason is told once a day',
      [postponed(), postponed(), 'a day passes', postponed()],
      [true, false, true],
    ],
    ['for another reason is told at once', [postponed(), other, postponed()], [true, true, true]],
    [
      'by the same checks that see something else has the same reason',
      [postponed(), postponed({ checks: [finding({ summary: 'backup of tank:vm/999 is running' })] })],
      [true, false],
    ],
  ])('%s', async (_, runs, expected) => expect(await told(runs)).toEqual(expected));

  it('that Slack did not take is not told, so that the next run tries again', async () => {
    const { url } = await receiver([{ status: 404 }]);
    expect(await deliverTo(postponed(), slack(), tools(url).given)).toMatchObject({
      warnings: [expect.stringContaining('404')],
      told: null,
    });
  });

  it('is all that has to be remembered: of other runs Slack is always told', async () => {
    const { url } = await receiver([{ status: 200 }]);
    expect(await deliverTo(document(), slack(), tools(url).given)).toEqual({ warnings: [], told: null });
  });
});

/** What a receiver does, as the documentation tells it to. */
function verified(header: unknown, body: string, secret: string): number | null {
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(header)) ?? [];
  const expected = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
  return t && v1 === expected ? Number(t) : null;
}

describe('the generic webhook', () => {
  it('gets the report as JSON, signed with the time of each try', async () => {
    const { url, received } = await receiver([{ status: 503 }, { status: 204 }]);
    const { given } = tools('shared-secret');
    const doc = document({ warnings: ['Grüße <&> \u001b[31m'] });
    expect(await notify(doc, hook(url), given)).toEqual([]);
    const times = received.map(({ headers, body }) => {
      expect(headers['content-type']).toContain('application/json');
      expect(JSON.parse(body)).toEqual(doc);
      return verified(headers['x-pbs-ctl-signature'], body, 'shared-secret');
    });
    expect(times).toEqual([BEGIN / 1000, BEGIN / 1000 + 1]);
  });

  it('is signed so that a change of body, time or secret shows', () => {
    const header = signature('{"a":1}', 'shared-secret', BEGIN);
    expect(verified(header, '{"a":1}', 'shared-secret')).toBe(BEGIN / 1000);
    expect(verified(header, '{"a":2}', 'shared-secret')).toBeNull();
    expect(verified(header, '{"a":1}', 'another')).toBeNull();
    expect(verified(header.replace(/\d,/, '9,'), '{"a":1}', 'shared-secret')).toBeNull();
  });

  it('never sends the secret itself', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    await notify(document(), hook(url), tools('shared-secret').given);
    expect(JSON.stringify(received)).not.toContain('shared-secret');
  });

  it('hears of every outcome, also of the same postponement again', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    const { given } = tools('shared-secret');
    for (const doc of [postponed(), postponed(), document({ outcome: 'abandoned' })])
      await notify(doc, hook(url), given);
    expect(received).toHaveLength(3);
  });
});

describe('over https', () => {
  let folder: string | undefined;
  afterEach(() => folder && rmSync(folder, { recursive: true, force: true }));

  /** What certificates a process trusts is settled when it starts, so it is one of its own. */
  async function tellFromProcess(trust: boolean, env: Record<string, string> = {}) {
    folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-https-'));
    const { key, cert } = await makeCertificate('127.0.0.1', { ip: ['127.0.0.1'] });
    const caFile = join(folder, 'ca.pem');
    const docFile = join(folder, 'document.json');
    writeFileSync(caFile, cert);
    writeFileSync(docFile, JSON.stringify(document()));
    const { url, received } = await receiver([{ status: 200 }], { key, cert });
    const { stdout } = await runNode(
      `
      import { readFileSync } from 'node:fs';
      const { notify } = await import(process.env.DIST + '/report/deliver.js');
      const { Secret } = await import(process.env.DIST + '/config/secret.js');
      const { warnings } = await notify(
        JSON.parse(readFileSync(process.env.DOCUMENT, 'utf8')),
        { slack: null, webhook: { url: process.env.URL_, secret: { env: 'X' } } },
        {
          secrets: async () => new Secret('shared-secret', 'test'),
          clock: { now: () => ${BEGIN}, sleep: async () => {}, timeout: (ms) => AbortSignal.timeout(ms) },
          env: JSON.parse(process.env.ENV_ ?? '{}'),
          lastTold: null,
        },
      );
      console.log(JSON.stringify(warnings));
      `,
      {
        URL_: url,
        DOCUMENT: docFile,
        ENV_: JSON.stringify(env),
        ...(trust ? { NODE_EXTRA_CA_CERTS: caFile } : {}),
        ...env,
      },
    );
    return { warnings: JSON.parse(stdout) as string[], received, sent: readFileSync(docFile, 'utf8') };
  }

  it('the signature holds for what arrived', async () => {
    const { warnings, received, sent } = await tellFromProcess(true);
    expect(warnings).toEqual([]);
    expect(received.map(({ body }) => body)).toEqual([sent]);
    expect(verified(received[0]?.headers['x-pbs-ctl-signature'], sent, 'shared-secret')).toBe(BEGIN / 1000);
  });

  it('nothing is sent to a receiver whose certificate is not trusted', async () => {
    const { warnings, received } = await tellFromProcess(false);
    expect(warnings[0]).toMatch(/cannot be reached \(\w*(CERT|SELF_SIGNED)\w*\)/);
    expect(received).toHaveLength(0);
  });

  it('nor where the environment says that no certificate need be checked', async () => {
    const { warnings, received } = await tellFromProcess(false, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(warnings[0]).toMatch(/cannot be reached \(\w*(CERT|SELF_SIGNED)\w*\)/);
    expect(received).toHaveLength(0);
  });
});

describe('through a web proxy', () => {
  async function withProxy<Result>(
    act: (address: string, asked: string[]) => Promise<Result>,
  ): Promise<Result> {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', ({ url = '' }, client) => {
      asked.push(url);
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const { port } = proxy.address() as AddressInfo;
    return act(`http://user:pw-secret@127.0.0.1:${port}`, asked).finally(() => proxy.close());
  }
  const tellBy = async (env: Record<string, string>) => {
    const { given } = tools('shared-secret');
    return notify(document(), hook('https://hooks.invalid/x'), { ...given, env });
  };

  it.each(['HTTPS_PROXY', 'https_proxy'])('goes what leaves the network, where %s names one', (name) =>
    withProxy(async (address, asked) => {
      const warnings = await tellBy({ [name]: address });
      expect(new Set(asked)).toEqual(new Set(['hooks.invalid:443']));
      expect(warnings[0]).toMatch(/by way of the proxy of HTTPS_PROXY/);
      expect(warnings[0]).not.toContain('pw-secret');
    }));

  it('does not go what NO_PROXY excepts', () =>
    withProxy(async (address, asked) => {
      await tellBy({ HTTPS_PROXY: address, NO_PROXY: 'localhost,.invalid' });
      expect(asked).toEqual([]);
    }));

  it('goes nothing where the address of the proxy is none, which is said without quoting it', async () => {
    const [warning] = await tellBy({ HTTPS_PROXY: 'pw-secret' });
    expect(warning).toMatch(/HTTPS_PROXY is not an address of a proxy/);
    expect(warning).not.toContain('pw-secret');
  });
});

describe('an answer', () => {
  it.each([
    [200, 'taken'],
    [204, 'taken'],
    [302, 'refused'],
    [400, 'refused'],
    [404, 'refused'],
    [408, 'refused'],
    [429, 'again'],
    [500, 'again'],
    [503, 'again'],
  ])('of status %i means: %s', (status, kind) =>
    expect(judgeStatus(status, '', null, BEGIN).kind).toBe(kind));

  it.each([
    ['7', 7000],
    [' 7 ', 7000],
    ['0', 0],
    ['Mon, 23 Nov 2026 02:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 01:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    [null, null],
  ])('with Retry-After %j asks to wait %j ms', (header, ms) => expect(retryAfterMs(header, BEGIN)).toBe(ms));
});
