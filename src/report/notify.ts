import { createHmac } from 'node:crypto';
import { isSafeWebhook, type NotifyConfig, type SecretReference } from '../config/schema.js';
import type { Secret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { isoFromMs } from '../moment.js';
import type { Clock } from '../world.js';
import { oneLine } from './layout.js';
import { failureWords, judgeStatus, postPatiently, type Try } from './post.js';
import { slackMessage } from './slack.js';

/** The last postponement of a host that Slack was told of. */
export interface SentPostponement {
  /** Which reasons it had; equal for postponements that say the same. */
  readonly reasons: string;
  /** ISO 8601, UTC. */
  readonly sentAt: string;
  /** That message said that it has lasted too long. */
  readonly escalated?: boolean | undefined;
}

/** Outlives the process, so that a timer that runs hourly does not post hourly. */
export interface NotifyMemory {
  get(host: string): SentPostponement | null | Promise<SentPostponement | null>;
  set(host: string, sent: SentPostponement | null): void | Promise<void>;
}

export interface NotifyTools {
  readonly secrets: (reference: SecretReference) => Promise<Secret>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly memory: NotifyMemory;
  /** Postponed for so long in a row is too long, milliseconds; default: never. */
  readonly escalateAfterMs?: number;
  /** Time limit of one try in milliseconds; default 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Tells Slack and the webhook of a run. Never throws: a report that does not arrive is a warning.
 * @returns warnings, without the addresses that were posted to, since those are secrets
 */
export async function notify(doc: RunDocument, config: NotifyConfig, tools: NotifyTools): Promise<string[]> {
  const posts = [
    told('Slack', () => tellSlack(doc, config.slack, tools)),
    told('The webhook', () => tellWebhook(doc, config.webhook, tools)),
  ];
  return (await Promise.all(posts)).filter((warning) => warning !== null);
}

async function told(receiver: string, post: () => Promise<string | null>): Promise<string | null> {
  try {
    const reason = await post();
    return reason === null ? null : `${receiver} was not told of this run: ${reason}.`;
  } catch (error) {
    const { code, message } = errorDocument(error);
    // Only errors of our own are known not to quote an address.
    return `${receiver} was not told of this run: ${code === 'internal' ? 'an unexpected error' : message}`;
  }
}

async function tellSlack(
  doc: RunDocument,
  slack: NotifyConfig['slack'],
  tools: NotifyTools,
): Promise<string | null> {
  if (!slack) return null;
  const { memory, clock } = tools;
  const postponed = doc.outcome === 'postponed' && doc.mode === 'patch';
  if (!postponed && doc.mode === 'patch') await remember(memory, doc.host, null);
  const overdueMs = postponed ? overdueOf(doc, tools) : null;
  // Who does not want to hear of every postponement still has to hear of one that does not end.
  if (!slack.on.includes(doc.outcome) && overdueMs === null) return null;
  const reasons = reasonsOf(doc);
  if (postponed) {
    const last = await memory.get(doc.host);
    const saidAlready = overdueMs === null || last?.escalated === true;
    if (
      saidAlready &&
      last?.reasons === reasons &&
      clock.now() - Date.parse(last.sentAt) < slack.repeatPostponed
    )
      return null;
  }
  const url = (await tools.secrets(slack.webhook)).reveal();
  if (!isSafeWebhook(url)) return 'its address is neither https nor on loopback';
  const failure = await postPatiently(await slackAttempt(url, doc, overdueMs, tools), clock);
  if (failure === null && postponed) {
    await remember(memory, doc.host, {
      reasons,
      sentAt: isoFromMs(clock.now()),
      escalated: overdueMs !== null,
    });
  }
  return failure;
}

/** For how long a host has been postponed, where that is too long; else null. */
function overdueOf(
  { postponements: { since } }: RunDocument,
  { clock, escalateAfterMs = Number.POSITIVE_INFINITY }: NotifyTools,
): number | null {
  const lasted = since === null ? 0 : clock.now() - Date.parse(since);
  return lasted > 0 && lasted >= escalateAfterMs ? lasted : null;
}

/** A memory that cannot be written must neither keep Slack from being told nor say that it was not. */
async function remember(memory: NotifyMemory, host: string, sent: SentPostponement | null): Promise<void> {
  try {
    await memory.set(host, sent);
  } catch {
    // Told twice is better than not at all.
  }
}

/** Which checks blocked, not what they saw: times and task names change from run to run, the reason does not. */
export function reasonsOf({ checks, error }: Pick<RunDocument, 'checks' | 'error'>): string {
  const blocks = checks.filter(({ status }) => status === 'block').map(({ id }) => id);
  return [error?.code ?? '', ...blocks.sort()].join(' ');
}

/** The library neither limits the time nor repeats a 429, nor does it show `Retry-After`: its fetch is wrapped for that. */
async function slackAttempt(
  url: string,
  doc: RunDocument,
  overdueMs: number | null,
  tools: NotifyTools,
): Promise<() => Promise<Try>> {
  const { IncomingWebhook } = await import('@slack/webhook');
  let seen: { status: number; retryAfter: string | null } | null = null;
  const webhook = new IncomingWebhook(url, {
    timeout: tools.timeoutMs ?? TIMEOUT_MS,
    fetch: async (address, init) => {
      const response = await fetch(address, { ...init, redirect: 'manual' });
      seen = { status: response.status, retryAfter: response.headers.get('retry-after') };
      return response;
    },
  });
  const message = slackMessage(doc, { overdueMs });
  return async () => {
    seen = null;
    try {
      await webhook.send(message);
      return { kind: 'taken' };
    } catch (error) {
      const answer = seen as { status: number; retryAfter: string | null } | null;
      if (!answer || answer.status < 300) return { kind: 'again', reason: failureWords(error), waitMs: null };
      return judgeStatus(answer.status, slackWords(error), answer.retryAfter, tools.clock.now());
    }
  };
}

/** Slack names its reasons in one word, such as `invalid_blocks`; anything else could quote the address. */
function slackWords(error: unknown): string {
  const { body } = error as { body?: unknown };
  const words = typeof body === 'string' ? oneLine(body) : '';
  return /^[a-z][a-z_]{0,40}$/.test(words) ? words : '';
}

async function tellWebhook(
  doc: RunDocument,
  webhook: NotifyConfig['webhook'],
  { secrets, clock, timeoutMs = TIMEOUT_MS }: NotifyTools,
): Promise<string | null> {
  if (!webhook) return null;
  const secret = await secrets(webhook.secret);
  const body = JSON.stringify(doc);
  return postPatiently(async () => {
    try {
      const response = await fetch(webhook.url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'pbs-ctl',
          'x-pbs-ctl-signature': signature(body, secret.reveal(), clock.now()),
        },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      return judgeStatus(response.status, '', response.headers.get('retry-after'), clock.now());
    } catch (error) {
      return { kind: 'again', reason: failureWords(error), waitMs: null };
    }
  }, clock);
}

/**
 * `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: the time is signed too, so that a receiver can
 * refuse an old report that is sent again.
 */
export function signature(body: string, secret: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
