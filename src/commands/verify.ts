import { REFUSED } from '../api/failure.js';
import { verifyOnce } from '../checks/verify.js';
import { EXIT } from '../fault.js';
import { openHost, readReferences } from '../host/open.js';
import type { Finding } from '../journal/document.js';
import { runsOf } from '../journal/runs.js';
import { findingsText } from '../report/findings-text.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

export const verify: Command<HostOptions> = async (context, options) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const results: Array<{ host: string; ok: boolean; checks: readonly Finding[]; retryAfter: null }> = [];
  const targets = targetsOf(config, options);
  await readReferences(config, targets, world);
  for (const target of targets) {
    const baseline = runsOf(stateDir, target.host).findLast((run) => run.baseline)?.baseline ?? null;
    const host = await openHost(config, target, world);
    try {
      const { ok, findings } = await verifyOnce(host.answers(null), baseline, null);
      results.push({ host: target.host, ok, checks: findings, retryAfter: null });
    } finally {
      await host.close();
    }
  }
  const text = results
    .map(({ host, checks }) => findingsText(host, checks, { ...style, retryAfter: null }))
    .join('\n');
  context.answer(results.length === 1 ? results[0] : { hosts: results }, text);
  if (results.every(({ ok }) => ok)) return EXIT.done;
  // Nothing was seen of such a host, so nothing can be said of it either.
  const refused = results.some(({ checks }) =>
    checks.some(({ detail }) => REFUSED.has(String(detail.error))),
  );
  return refused ? EXIT.failed : EXIT.unverified;
};
