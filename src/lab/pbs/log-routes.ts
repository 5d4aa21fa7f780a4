import { optional, type Parameter, text, whole } from '../parameters.js';
import type { PbsHost } from './host.js';
import { type PbsRoute, WithAttributes } from './server.js';

const MOMENT: Parameter = { type: 'string', pattern: /^\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}(?::\d{2})?)?$/ };

/** In the time of the host, which is UTC. */
const epochOf = (moment: unknown): number =>
  moment === undefined
    ? 0
    : Date.parse(`${String(moment).replace(' ', 'T')}${String(moment).includes(' ') ? 'Z' : ''}`) / 1000;

/** The journal of the host, in its two forms. */
export function logRoutes({ machine }: PbsHost): PbsRoute[] {
  const reads = () => ['/system/log', ['Sys.Audit']] as const;
  return [
    {
      method: 'GET',
      path: '/nodes/localhost/syslog',
      params: {
        start: optional(whole),
        limit: optional(whole),
        since: optional(MOMENT),
        until: optional(MOMENT),
        service: optional(text),
      },
      needs: reads,
      daemon: true,
      handle: async ({ params }) => {
        const unit = String(params.service ?? '');
        const found =
          unit === '' ? await machine.journal?.({}) : await machine.unitLines(unit, epochOf(params.since));
        const lines = found && found.length > 0 ? found : ['-- No entries --'];
        const start = Number(params.start ?? 0);
        // Unlike that of a task log, a limit of 0 means none.
        const page = lines.slice(start, start + Number(params.limit ?? 50));
        return new WithAttributes(
          page.map((line, index) => ({ n: start + index + 1, t: line })),
          { total: lines.length },
        );
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/journal',
      params: {
        since: optional(whole),
        until: optional(whole),
        lastentries: optional(whole),
        startcursor: optional(text),
        endcursor: optional(text),
      },
      needs: reads,
      daemon: true,
      handle: async ({ params }) => {
        const between = { since: Number(params.since ?? 0), until: Number(params.until ?? Infinity) };
        const lines = (await machine.journal?.(between)) ?? [];
        const shown = params.lastentries === undefined ? lines : lines.slice(-Number(params.lastentries));
        return ['s=0', ...(shown.length > 0 ? shown : ['Nov 23 02:00:00 lab systemd[1]: Started.']), 's=1'];
      },
    },
  ];
}
