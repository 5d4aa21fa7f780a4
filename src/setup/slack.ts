import { isSafeWebhook } from '../config/schema.js';
import { failureWords } from '../report/post.js';
import { about, type Diagnosis } from './diagnosis.js';

const LIMIT_MS = 10_000;

/** What a receiver said. `words` only where they are one of Slack's own one-word reasons. */
export type Answer = { readonly status: number; readonly words: string } | { readonly unreachable: string };

/**
 * Posts an empty message, which Slack refuses after it has looked at the address: nothing appears in the channel.
 * @see https://api.slack.com/messaging/webhooks#handling_errors
 */
export async function askSlack(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const text = (await response.text()).trim();
    // Anything else could quote the address, which is a secret.
    return { status: response.status, words: /^[a-z][a-z_]{0,40}$/.test(text) ? text : '' };
  } catch (error) {
    return { unreachable: failureWords(error) };
  }
}

const AWARE = new Set(['no_text', 'invalid_payload', 'missing_text_or_fallback_or_attachments']);

export function judgeSlack(url: string, answer: Answer): Diagnosis {
  const { pass, warn, block } = about('notify', 'slack');
  if (!isSafeWebhook(url)) return block('the address is neither https nor on loopback');
  if ('unreachable' in answer) {
    return block(`Slack: ${answer.unreachable}`, {
      mends: [
        { where: 'here', commands: [`curl -sS -o /dev/null -w '%{http_code}\\n' ${new URL(url).origin}`] },
      ],
    });
  }
  const { status, words } = answer;
  const said = `${status}${words === '' ? '' : ` ${words}`}`;
  if (status === 400 && (AWARE.has(words) || words === '')) {
    return pass('Slack knows the webhook (an empty message was refused, nothing was posted)');
  }
  if (status >= 200 && status < 300) return pass('the webhook takes messages');
  if (status === 429 || status >= 500)
    return warn(`Slack is there and does not answer properly now (${said})`);
  return block(`Slack does not take messages at this address (${said})`, {
    hint: 'The webhook was removed, its channel archived, or the address is wrong: make a new one at https://api.slack.com/apps (Incoming Webhooks) and store it where the config looks for it.',
  });
}
