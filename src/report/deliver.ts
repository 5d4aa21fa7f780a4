import type { Config } from '../config/schema.js';
import { isSafeWebhook } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import type { World } from '../world.js';
import type { RunDocument } from './document.js';
import { slackMessage } from './slack.js';

const LIMIT_MS = 10_000;

/** Posts the report to Slack where the config asks for it. A post that fails is a warning in the report and nothing more. */
export async function deliver(
  doc: RunDocument,
  config: Config,
  _stateDir: string,
  world: World,
): Promise<RunDocument> {
  const { slack } = config.notify;
  if (!slack?.on.includes(doc.outcome)) return doc;
  try {
    const url = (await readSecret(slack.webhook, world)).reveal();
    if (!isSafeWebhook(url)) throw new Error('its address is no https address');
    const { IncomingWebhook } = await import('@slack/webhook');
    await new IncomingWebhook(url, { timeout: LIMIT_MS }).send(slackMessage(doc));
    return doc;
  } catch (error) {
    // The address of a webhook is a secret, and some errors quote it: only their kind is told.
    const kind = (error as { code?: string }).code ?? (error as Error).name;
    return { ...doc, warnings: [...doc.warnings, `Slack was not told (${kind}).`] };
  }
}
