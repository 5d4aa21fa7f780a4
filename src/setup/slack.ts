import { type Config, isSafeWebhook } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { failureWords } from '../report/post.js';
import { byWayOf, withWeb } from '../report/web.js';
import type { World } from '../world.js';
import { examineServer } from './certificate.js';
import { type Controller, examineSecret } from './controller.js';
import { about, type SetupFinding } from './finding.js';

/** Who is notified of runs: Slack, and a webhook. */
export async function examineNotify({ config, path }: Controller, world: World): Promise<SetupFinding[]> {
  const { slack, webhook } = config.notify;
  return [
    ...(slack ? [await examineSlack(slack, world)] : []),
    ...(webhook ? await examineWebhook(webhook, path, world) : []),
  ];
}

async function examineSlack(
  { webhook }: NonNullable<Config['notify']['slack']>,
  world: World,
): Promise<SetupFinding> {
  const missing = await examineSecret('notify', webhook, world);
  if (missing) return { ...missing, topic: 'slack' };
  const url = (await readSecret(webhook, world)).reveal();
  return judgeSlack(url, await askSlack(url, world));
}

/** Posts nothing: a receiver could take any document for a report. */
async function examineWebhook(
  { url, secret }: NonNullable<Config['notify']['webhook']>,
  path: string,
  world: World,
): Promise<SetupFinding[]> {
  const missing = await examineSecret('notify', secret, world);
  const place = {
    subject: 'notify',
    product: 'pve',
    where: '',
    tls: {},
    config: { path, place: '' },
  } as const;
  const server = url.startsWith('https:')
    ? await examineServer({ ...place, address: new URL(url).origin }, world)
    : null;
  return [
    ...(missing ? [{ ...missing, topic: 'webhook' as const }] : []),
    ...(server ? [{ ...server, topic: 'webhook' as const, fixes: [] }] : []),
  ];
}

const LIMIT_MS = 10_000;

/** Slack's answer. `words` only where it is one of Slack's one-word reasons. */
type Answer = { readonly status: number; readonly words: string } | { readonly unreachable: string };

/**
 * Posts an empty message, which Slack refuses after it has looked at the address: nothing appears in the channel.
 * @see https://api.slack.com/messaging/webhooks#handling_errors
 */
async function askSlack(url: string, { clock, env }: Pick<World, 'clock' | 'env'>): Promise<Answer> {
  try {
    return await withWeb(env, async (fetch) => {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/json' },
        body: '{}',
        signal: clock.timeout(LIMIT_MS),
      });
      const text = (await response.text()).trim();
      // Anything else could quote the address, which is a secret.
      return { status: response.status, words: /^[a-z][a-z_]{0,40}$/.test(text) ? text : '' };
    });
  } catch (error) {
    return { unreachable: `${failureWords(error)}${byWayOf(url, env)}` };
  }
}

const AWARE = new Set(['no_text', 'invalid_payload', 'missing_text_or_fallback_or_attachments']);

function judgeSlack(url: string, answer: Answer): SetupFinding {
  const { pass, warn, block } = about('notify', 'slack');
  if (!isSafeWebhook(url)) return block('the address is neither https nor loopback');
  if ('unreachable' in answer) {
    return block(`Slack: ${answer.unreachable}`, {
      fixes: [
        {
          where: 'controller',
          commands: [`curl -sS -o /dev/null -w '%{http_code}\\n' ${new URL(url).origin}`],
        },
      ],
    });
  }
  const { status, words } = answer;
  const said = `${status}${words === '' ? '' : ` ${words}`}`;
  if (status === 400 && (AWARE.has(words) || words === '')) {
    return pass('Slack knows the webhook (an empty message was refused, nothing was posted)');
  }
  if (status >= 200 && status < 300) return pass('the webhook accepts messages');
  if (status === 429 || status >= 500) return warn(`Slack answers, but not properly at the moment (${said})`);
  return block(`Slack does not accept messages at this address (${said})`, {
    hint: 'The webhook was removed, its channel was archived, or the address is wrong. Create a new one at https://api.slack.com/apps (Incoming Webhooks) and store it where the config reads it.',
  });
}
