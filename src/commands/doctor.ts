import { examine } from '../doctor/examine.js';
import { EXIT } from '../fault.js';
import type { Finding } from '../report/document.js';
import { findingsText } from '../report/text.js';
import { openSite } from '../site.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

/** Is everything in place for a run, now or later? Each finding with what mends it. */
export const doctor: Command<HostOptions> = async (context, options) => {
  const { world, color } = context;
  const { config, path } = await load(context);
  const hosts: Array<{ host: string; ok: boolean; checks: readonly Finding[] }> = [];
  for (const target of targetsOf(config, options, true)) {
    const site = await openSite(config, target, world);
    try {
      const checks = await examine(site, config, world);
      hosts.push({ host: target.host, ok: checks.every(({ status }) => status !== 'block'), checks });
    } finally {
      await site.close();
    }
  }
  const style = { color, columns: world.stdout.columns, retryAfter: null };
  const text = hosts.map(({ host, checks }) => findingsText(host, checks, style)).join('\n');
  context.answer({ config: path, hosts }, `${path} is valid.\n\n${text}`);
  return hosts.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
};
