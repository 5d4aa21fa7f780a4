import { createHmac } from 'node:crypto';
import type { IncomingWebhookSendArguments } from '@slack/webhook';
import { type Config, isSafeWebhook, type NotifyConfig, type SecretReference } from '../config/schema.js';
import { readSecret, type Secret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { postponedInARow } from '../journal/owed.js';
import { addToEnded, runsOf, wholeHistories } from '../journal/runs.js';
import type { RunState } from '../journal/state.js';
import type { Clock, World } from '../world.js';
import { hostMetrics, metricsText, writeMetrics } from './metrics.js';
import { post } from './post.js';
import { escaped, slackMessage } from './slack.js';
import type { Fetch } from './web.js';

/**
 * Sends the report of a run where the config says: Slack, webhook, metrics file. A failure is a warning in
 * the journal and in the returned report; it never changes the outcome.
 */
export async function deliver(
  doc: RunDocument,
  { config, stateDir }: { config: Config; stateDir: string },
  world: World,
): Promise<RunDocument> {
  const { textfile } = config.metrics;
  const { warnings, told } = await notify(doc, config.notify, {
    secrets: (reference) => readSecret(reference, world),
    clock: world.clock,
    env: world.env,
    lastTold: doc.outcome === 'postponed' ? lastTold(stateDir, doc.host) : null,
  });
  if (told !== null) addToEnded(stateDir, doc.runId, [{ type: 'told', reasons: told }], world.clock);
  if (textfile !== null) {
    try {
      writeMetrics(textfile, metricsText(hostMetrics(wholeHistories(stateDir))));
    } catch (error) {
      warnings.push(errorDocument(error).message);
    }
  }
  const events = warnings.map((text) => ({ type: 'warning', text }) as const);
  addToEnded(stateDir, doc.runId, events, world.clock);
  return warnings.length === 0 ? doc : { ...doc, warnings: [...doc.warnings, ...warnings] };
}

/** The last postponement in a row that was posted; null also where it cannot be read: rather post twice than never. */
function lastTold(stateDir: string, host: string): RunState['told'] {
  try {
    return postponedInARow(runsOf(stateDir, host)).findLast(({ told }) => told !== null)?.told ?? null;
  } catch {
    return null;
  }
}

interface NotifyTools {
  readonly secrets: (reference: SecretReference) => Promise<Secret>;
  readonly clock: Pick<Clock, 'now' | 'sleep' | 'timeout'>;
  /** Where a web proxy may be named. */
  readonly env: World['env'];
  /** The last postponement in a row that was posted, so that an hourly timer does not post every hour. */
  readonly lastTold: RunState['told'];
  /** For one try. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Never throws.
 * @returns warnings, without the addresses, since those are secrets; and the reasons of the postponement, where
 *   it was posted to Slack
 */
export async function notify(
  doc: RunDocument,
  config: NotifyConfig,
  tools: NotifyTools,
): Promise<{ warnings: string[]; told: string | null }> {
  let told: string | null = null;
  const posts = [
    warningOf('Slack', async () => {
      const { failure, posted } = await postToSlack(doc, config.slack, tools);
      if (posted && isPostponed(doc)) told = reasonsOf(doc);
      return failure;
    }),
    warningOf('The webhook', () => postToWebhook(doc, config.webhook, tools)),
  ];
  const warnings = (await Promise.all(posts)).filter((warning) => warning !== null);
  return { warnings, told };
}

async function warningOf(receiver: string, post: () => Promise<string | null>): Promise<string | null> {
  try {
    const reason = await post();
    return reason === null ? null : `${receiver} did not get the report of this run: ${reason}.`;
  } catch (error) {
    const { code, message } = errorDocument(error);
    // Only a Fault is known not to quote an address.
    return `${receiver} did not get the report of this run: ${code === 'internal' ? 'an unexpected error' : message}`;
  }
}

async function postToSlack(
  doc: RunDocument,
  slack: NotifyConfig['slack'],
  tools: NotifyTools,
): Promise<{ posted: boolean; failure: string | null }> {
  const { lastTold, clock } = tools;
  const saidAlready =
    isPostponed(doc) &&
    lastTold?.reasons === reasonsOf(doc) &&
    clock.now() - Date.parse(lastTold.at) < (slack?.repeatPostponed ?? 0);
  if (!slack?.on.includes(doc.outcome) || saidAlready) return { posted: false, failure: null };
  const url = (await tools.secrets(slack.webhook)).reveal();
  const failure = await sendToSlack(url, slackMessage(doc), tools);
  return { posted: failure === null, failure };
}

/**
 * Says something in Slack in the middle of a run, where the config names Slack. Never throws.
 * @returns why it was not told; null where it was, or where no one is to be told
 */
export function alarm(text: string, { notify: { slack } }: Config, world: World): Promise<string | null> {
  return warningOf('Slack', async () => {
    if (!slack) return null;
    const url = (await readSecret(slack.webhook, world)).reveal();
    return sendToSlack(
      url,
      { text: `:warning: ${escaped(text, 2000)}` },
      { clock: world.clock, env: world.env },
    );
  });
}

async function sendToSlack(
  url: string,
  message: IncomingWebhookSendArguments,
  { clock, env, timeoutMs = TIMEOUT_MS }: Pick<NotifyTools, 'clock' | 'env' | 'timeoutMs'>,
): Promise<string | null> {
  if (!isSafeWebhook(url)) return 'its address is neither https nor on loopback';
  const { IncomingWebhook } = await import('@slack/webhook');
  // Its own `timeout` is not by our clock, and its errors (8.0) do not hold `Retry-After`: the fetch does both.
  return post((fetch) => new IncomingWebhook(url, { fetch }).send(message), { clock, env, timeoutMs });
}

const isPostponed = ({ outcome, mode }: RunDocument) => outcome === 'postponed' && mode === 'patch';

/** Which checks blocked, not what they saw: times and tasks differ in every run. */
function reasonsOf({ checks, error }: Pick<RunDocument, 'checks' | 'error'>): string {
  const blocks = checks.filter(({ status }) => status === 'block').map(({ id }) => id);
  return [error?.code ?? '', ...blocks.sort()].join(' ');
}

async function postToWebhook(
  doc: RunDocument,
  webhook: NotifyConfig['webhook'],
  { secrets, clock, env, timeoutMs = TIMEOUT_MS }: NotifyTools,
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
  return post(send, { clock, env, timeoutMs });
}

/**
 * `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: the time is signed too, so that a receiver can
 * refuse a replay.
 */
export function signature(body: string, secret: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
