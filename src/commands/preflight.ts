import { CHECKS } from '../checks/catalogue.js';
import { isDenied, retryAfter, runChecks } from '../checks/check.js';
import { withNever } from '../checks/outlook.js';
import { EXIT, type ExitCode } from '../fault.js';
import type { Finding } from '../journal/document.js';
import { findingsText } from '../report/findings-text.js';
import type { Command, HostOptions } from './context.js';
import { eachHost } from './each-host.js';

export const preflight: Command<HostOptions> = async (context, options) => {
  const results = await eachHost(context, options, async ({ target: { host }, answers }) => {
    const seen = answers(null);
    const checks = await withNever(await runChecks(CHECKS, seen), seen);
    const ok = checks.every(({ status }) => status !== 'block');
    const document = { host, ok, checks, retryAfter: retryAfter(checks) };
    const style = { ...context.style, retryAfter: document.retryAfter };
    return { document, text: findingsText(host, checks, style) };
  });
  return exitCode(results.flatMap(({ checks }) => checks));
};

/** Waiting does not help with a refused token or certificate. */
function exitCode(findings: readonly Finding[]): ExitCode {
  const blocks = findings.filter(({ status }) => status === 'block');
  if (blocks.length === 0) return EXIT.done;
  return blocks.some(isDenied) ? EXIT.failed : EXIT.tryLater;
}
