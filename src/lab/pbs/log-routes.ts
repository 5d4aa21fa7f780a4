import { optional, text, whole } from '../parameters.js';
import type { PbsHost } from './host.js';
import type { PbsRoute } from './server.js';

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
        since: optional({ type: 'string', pattern: /^\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}(?::\d{2})?)?$/ }),
        until: optional(text),
        service: optional(text),
      },
      needs: reads,
      daemon: true,
      handle: async ({ params }) => {
        const lines = await machine.unitLines(String(params.service ?? ''));
        const shown = lines.slice(0, params.limit === undefined ? 50 : Number(params.limit));
        return (shown.length > 0 ? shown : ['no content']).map((line, index) => ({ n: index + 1, t: line }));
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
      handle: () => ['s=0', 'Nov 23 02:00:00 lab systemd[1]: Started.', 's=1'],
    },
  ];
}
