import { isDenied } from '../checks/check.js';
import { ContentsWatch } from '../checks/contents-watch.js';
import { verifyOnce } from '../checks/verify.js';
import { EXIT } from '../fault.js';
import { folderOf, runsOf } from '../journal/runs.js';
import { findingsText } from '../report/findings-text.js';
import type { Command, HostOptions } from './context.js';
import { eachHost } from './each-host.js';

export const verify: Command<HostOptions> = async (context, options) => {
  const results = await eachHost(context, options, async ({ target: { host }, answers }, stateDir) => {
    const last = runsOf(stateDir, host).findLast(({ baseline }) => baseline) ?? null;
    const watch = new ContentsWatch(context.world.clock, last && folderOf(stateDir, last.runId));
    const { ok, findings } = await verifyOnce(answers(null), last, { watch });
    const style = { ...context.style, retryAfter: null };
    return {
      document: { host, ok, checks: findings, retryAfter: null },
      text: findingsText(host, findings, style),
    };
  });
  if (results.every(({ ok }) => ok)) return EXIT.done;
  // Such a host is not unverified: nothing of it was seen.
  const refused = results.some(({ checks }) => checks.some(isDenied));
  return refused ? EXIT.failed : EXIT.unverified;
};
