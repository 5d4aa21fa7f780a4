import { EXIT } from '../fault.js';
import { openHost, readReferences } from '../host/open.js';
import { isoFromSeconds } from '../moment.js';
import { timelineText } from '../report/timeline.js';
import { planFor, zoneOf } from '../schedule/look-ahead.js';
import type { Plan } from '../schedule/plan.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

interface WindowsOptions extends HostOptions {
  readonly hours: number | undefined;
}

const DEFAULT_HOURS = 72;

/** When is a host busy, and when does a whole run fit? */
export const windows: Command<WindowsOptions> = async (context, options) => {
  const { world, style } = context;
  const { hours = DEFAULT_HOURS } = options;
  const { config } = await load(context);
  const documents: object[] = [];
  const texts: string[] = [];
  const targets = targetsOf(config, options);
  await readReferences(config, targets, world);
  for (const target of targets) {
    const host = await openHost(config, target, world);
    try {
      const zone = zoneOf(target);
      const plan = await planFor(host.answers(null), hours, zone);
      documents.push(documentOf(target.host, plan, zone));
      texts.push(timelineText(target.host, plan, zone, style));
    } finally {
      await host.close();
    }
  }
  context.answer(documents.length === 1 ? documents[0] : { hosts: documents }, texts.join('\n'));
  return EXIT.done;
};

const documentOf = (host: string, { from, to, busy, free, next }: Plan, timezone: string) => ({
  host,
  from: isoFromSeconds(from),
  to: isoFromSeconds(to),
  timezone,
  busy: busy.map((each) => ({
    start: isoFromSeconds(each.from),
    end: isoFromSeconds(each.to),
    source: each.source,
    label: each.label,
    estimated: each.estimated,
  })),
  free: free.map((each) => ({ start: isoFromSeconds(each.from), end: isoFromSeconds(each.to) })),
  next: next && { start: isoFromSeconds(next.from), end: isoFromSeconds(next.to) },
});
