import { EXIT } from '../fault.js';
import { isoFromSeconds } from '../moment.js';
import { timelineText } from '../report/timeline.js';
import { planFor, zoneOf } from '../schedule/look-ahead.js';
import type { Plan } from '../schedule/plan.js';
import type { Command, HostOptions } from './context.js';
import { eachHost } from './each-host.js';

interface WindowsOptions extends HostOptions {
  readonly hours: number | undefined;
}

const DEFAULT_HOURS = 72;

/** When is a host busy, and when does a whole run fit? */
export const windows: Command<WindowsOptions> = async (context, options) => {
  const { hours = DEFAULT_HOURS } = options;
  await eachHost(context, options, async ({ target, answers }) => {
    const zone = zoneOf(target);
    const plan = await planFor(answers(null), hours, zone);
    return {
      document: documentOf(target.host, plan, zone),
      text: timelineText(target.host, plan, zone, context.style),
    };
  });
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
