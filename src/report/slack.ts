import { formatDuration } from '../config/quantity.js';
import type { RunDocument } from './document.js';

const HEADER = 150;
const SECTION = 3000;
const PACKAGES_SHOWN = 20;

/** A run as a Slack message, in the order an operator reads; within the limits of Block Kit. */
export function slackMessage(doc: RunDocument) {
  const title = `${doc.host}: ${doc.outcome}`;
  const facts = [
    ...(doc.before
      ? [
          `*Version* ${change(doc.before.version, doc.after?.version)}`,
          `*Kernel* ${change(doc.before.kernel, doc.after?.kernel)}`,
        ]
      : []),
    `*Packages* ${doc.packages.upgraded.length} upgraded, ${doc.packages.installed.length} installed`,
    ...(doc.before && doc.after
      ? [
          `*Datastores* ${doc.after.datastores.filter(({ state }) => state === 'ok').length} of ${doc.before.datastores.length} back`,
        ]
      : []),
    ...(doc.reboot?.upAt
      ? [
          `*Reboot* back after ${formatDuration(Date.parse(doc.reboot.upAt) - Date.parse(doc.reboot.requestedAt))}`,
        ]
      : []),
    ...(doc.error ? [`*Reason* ${doc.error.message}`] : []),
    ...(doc.error?.hint ? [`*Next* ${doc.error.hint}`] : []),
    ...(doc.retryAfter ? [`*Safe from* ${doc.retryAfter}`] : []),
    ...(doc.leftBehind.fenced.length > 0 ? [`*Still fenced* ${doc.leftBehind.fenced.join(', ')}`] : []),
    ...(doc.leftBehind.locks.length > 0 ? [`*Still locked* ${doc.leftBehind.locks.join(', ')}`] : []),
  ];
  const shown = doc.packages.upgraded
    .slice(0, PACKAGES_SHOWN)
    .map(({ name, from, to }) => `${name} ${from} → ${to}`);
  const more = doc.packages.upgraded.length - shown.length;
  const list = more > 0 ? [...shown, `and ${more} more`] : shown;
  const took = formatDuration(Date.parse(doc.finishedAt) - Date.parse(doc.startedAt));
  return {
    text: title,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title.slice(0, HEADER) } },
      section(facts.map(escaped).join('\n')),
      ...(list.length > 0 ? [section(list.map(escaped).join('\n'))] : []),
      { type: 'context', elements: [{ type: 'mrkdwn', text: `run ${doc.runId}, ${took}` }] },
    ],
  };
}

const section = (text: string) => ({
  type: 'section',
  text: { type: 'mrkdwn', text: text.slice(0, SECTION) },
});
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const change = (from: string, to: string | undefined) =>
  to === undefined || to === from ? from : `${from} → ${to}`;
