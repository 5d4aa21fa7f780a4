import { createHmac } from 'node:crypto';
import { isSafeWebhook, type NotifyConfig, type SecretReference } from '../config/schema.js';
import type { Secret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { isoFromMs } from '../moment.js';
import type { Clock } from '../world.js';
import { type Fetch, post } from './post.js';
import { slackMessage } from './slack.js';

/** The last postponement of a host that was posted to Slack. */
export interface SentPostponement {
  /** Which reasons it had; equal for postponements that say the same. */
  readonly reasons: string;
  /** ISO 8601, UTC. */
  readonly sentAt: string;
}

/** Outlives the process, so that a timer that runs hourly does not post hourly. */
export interface NotifyMemory {
  get(host: string): SentPostponement | null | Promise<SentPostponement | null>;
  set(host: string, sent: SentPostponement | null): void | Promise<void>;
}

interface NotifyTools {
  readonly secrets: (reference: SecretReference) => Promise<Secret>;
  readonly clock: Pick<Clock, 'now' | 'sleep' | 'timeout'>;
  readonly memory: NotifyMemory;
  /** Time limit of one try in milliseconds; default 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Posts a run to Slack and the webhook. Never throws: a report that does not arrive is a warning.
 * @returns warnings, without the addresses that were posted to, since those are secrets
 */
export async function notify(doc: RunDocument, config: NotifyConfig, tools: NotifyTools): Promise<string[]> {
  const posts = [
    posted('Slack', () => postToSlack(doc, config.slack, tools)),
    posted('The webhook', () => postToWebhook(doc, config.webhook, tools)),
  ];
  return (await Promise.all(posts)).filter((warning) => warning !== null);
}

async function posted(receiver: string, post: () => Promise<string | null>): Promise<string | null> {
  try {
    const reason = await post();
    return reason === null ? null : `${receiver} was not told of this run: ${reason}.`;
  } catch (error) {
    const { code, message } = errorDocument(error);
    // Only errors of our own are known not to quote an address.
    return `${receiver} was not told of this run: ${code === 'internal' ? 'an unexpected error' : message}`;
  }
}

async function postToSlack(
  doc: RunDocument,
  slack: NotifyConfig['slack'],
  tools: NotifyTools,
): Promise<string | null> {
  if (!slack) return null;
  const { memory, clock, timeoutMs = TIMEOUT_MS } = tools;
  const postponed = doc.outcome === 'postponed' && doc.mode === 'patch';
  if (!postponed && doc.mode === 'patch') await remember(memory, doc.host, null);
  if (!slack.on.includes(doc.outcome)) return null;
  const reasons = reasonsOf(doc);
  const last = postponed ? await memory.get(doc.host) : null;
  if (last?.reasons === reasons && clock.now() - Date.parse(last.sentAt) < slack.repeatPostponed) return null;
  const url = (await tools.secrets(slack.webhook)).reveal();
  if (!isSafeWebhook(url)) return 'its address is neither https nor on loopback';
  const { IncomingWebhook } = await import('@slack/webhook');
  const message = slackMessage(doc);
  // Its own `timeout` is not by our clock, and its errors (8.0) do not hold `Retry-After`: the fetch does both.
  const failure = await post((fetch) => new IncomingWebhook(url, { fetch }).send(message), {
    clock,
    timeoutMs,
  });
  if (failure === null && postponed) {
    await remember(memory, doc.host, { reasons, sentAt: isoFromMs(clock.now()) });
  }
  return failure;
}

/** A memory that cannot be written must neither stop the post nor count as one that failed. */
async function remember(memory: NotifyMemory, host: string, sent: SentPostponement | null): Promise<void> {
  try {
    await memory.set(host, sent);
  } catch {
    // Posted twice is better than not at all.
  }
}

/** Which checks blocked, not what they saw: times and task names change from run to run, the reason does not. */
function reasonsOf({ checks, error }: Pick<RunDocument, 'checks' | 'error'>): string {
  const blocks = checks.filter(({ status }) => status === 'block').map(({ id }) => id);
  return [error?.code ?? '', ...blocks.sort()].join(' ');
}

async function postToWebhook(
  doc: RunDocument,
  webhook: NotifyConfig['webhook'],
  { secrets, clock, timeoutMs = TIMEOUT_MS }: NotifyTools,
): Promise<string | null> {
  if (!webhook) return null;
  const secret = await secrets(webhook.secret);
  const body = JSON.stringify(doc);
  const send = async (fetch: Fetch) => {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'pbs-ctl',
      'x-pbs-ctl-signature': signature(body, secret.reveal(), clock.now()),
    };
    const response = await fetch(webhook.url, { method: 'POST', headers, body });
    await response.body?.cancel();
  };
  return post(send, { clock, timeoutMs });
}

/**
 * `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: the time is signed too, so that a receiver can
 * refuse an old report that is sent again.
 */
export function signature(body: string, secret: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
