import { REFUSED } from '../api/failure.js';
import { CHECKS } from '../checks/catalogue.js';
import { retryAfter, runChecks } from '../checks/check.js';
import { EXIT, type ExitCode } from '../fault.js';
import { openHost, readReferences } from '../host/open.js';
import type { Finding } from '../journal/document.js';
import { findingsText } from '../report/findings-text.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

export const preflight: Command<HostOptions> = async (context, options) => {
  const { world, style } = context;
  const { config } = await load(context);
  const results: Array<{ host: string; ok: boolean; checks: readonly Finding[]; retryAfter: string | null }> =
    [];
  const targets = targetsOf(config, options);
  await readReferences(config, targets, world);
  for (const target of targets) {
    const host = await openHost(config, target, world);
    try {
      const checks = await runChecks(CHECKS, host.answers(null));
      const ok = checks.every(({ status }) => status !== 'block');
      results.push({ host: target.host, ok, checks, retryAfter: retryAfter(checks) });
    } finally {
      await host.close();
    }
  }
  const text = results
    .map(({ host, checks, retryAfter: at }) => findingsText(host, checks, { ...style, retryAfter: at }))
    .join('\n');
  context.answer(results.length === 1 ? results[0] : { hosts: results }, text);
  return exitCode(results.flatMap(({ checks }) => checks));
};

/** A refused token or certificate is no reason to wait. */
function exitCode(findings: readonly Finding[]): ExitCode {
  const blocks = findings.filter(({ status }) => status === 'block');
  if (blocks.length === 0) return EXIT.done;
  return blocks.some(({ detail }) => REFUSED.has(String(detail.error))) ? EXIT.failed : EXIT.tryLater;
}
