import { flag, optional, text, whole } from '../parameters.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost } from './host.js';
import { type PbsCall, PbsError, type PbsRoute, WithAttributes } from './server.js';
import type { PbsTask } from './state.js';

/** Tasks: their list, state and log, as far as the caller may see them. */
export function taskRoutes(host: PbsHost): PbsRoute[] {
  const { access } = host;
  const differs = DIFFERENCES[host.version];
  const task = ({ params, tokenId }: PbsCall): PbsTask | undefined => {
    const found = host.tasks.find(({ upid }) => upid === params.upid);
    if (found && found.user !== tokenId && !access.has('/system/tasks', 'Sys.Audit'))
      throw new PbsError('task access not allowed');
    return found;
  };
  return [
    {
      method: 'GET',
      path: '/nodes/localhost/tasks',
      params: {
        start: optional(whole),
        limit: optional(whole),
        running: optional(flag),
        errors: optional(flag),
        since: optional(whole),
        until: optional(whole),
        typefilter: optional(text),
        statusfilter: optional({ type: 'array' }),
        userfilter: optional(text),
        store: optional(text),
      },
      needs: null,
      handle: ({ params, tokenId }) => {
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        const start = Number(params.start ?? 0);
        const seen = host.tasks
          .filter(({ user }) => access.has('/system/tasks', 'Sys.Audit') || user === tokenId)
          .filter(({ endedAt }) => !/^(1|true)$/.test(String(params.running ?? '')) || endedAt === null)
          .filter(({ type }) => type.includes(String(params.typefilter ?? '')))
          .sort((a, b) => (b.endedAt ?? Infinity) - (a.endedAt ?? Infinity) || b.startedAt - a.startedAt);
        const page = seen.slice(start, limit === 0 ? undefined : start + limit);
        return new WithAttributes(page.map(listed), {
          total: start + page.length + (limit > 0 && page.length === limit ? 1 : 0),
        });
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/tasks/{upid}/status',
      needs: null,
      handle: (call) => {
        const found = task(call);
        if (!found)
          return {
            upid: call.params.upid,
            node: host.name,
            status: 'stopped',
            exitstatus: 'unknown',
            pid: 0,
            pstart: 0,
            starttime: 0,
            type: '',
            id: null,
            user: '',
          };
        const { upid, type, id, user, startedAt, endedAt, status } = found;
        return {
          upid,
          node: host.name,
          pid: 812,
          pstart: 1,
          starttime: startedAt,
          type,
          id,
          ...ownerOf(user),
          ...(endedAt === null ? { status: 'running' } : { status: 'stopped', exitstatus: status }),
          ...(endedAt !== null && differs.tellsEndOfTask ? { endtime: endedAt } : {}),
        };
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/tasks/{upid}/log',
      params: {
        start: optional(whole),
        limit: optional(whole),
        'test-status': optional(flag),
        download: optional(flag),
      },
      needs: null,
      handle: (call) => {
        const { params } = call;
        const found = task(call);
        if (!found) throw new PbsError('No such file or directory (os error 2)');
        const first = Math.max(1, Number(params.start ?? 1));
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        const lines = found.log.slice(first - 1, limit === 0 ? undefined : first - 1 + limit);
        return new WithAttributes(
          lines.map((line, index) => ({ n: first + index, t: line })),
          { total: found.log.length, success: 1 },
        );
      },
    },
  ];
}

/** User and token stand apart in the status of a task, together in lists. */
function ownerOf(authId: string) {
  const [user, tokenid] = authId.split('!');
  return { user, ...(tokenid === undefined ? {} : { tokenid }) };
}

function listed({ upid, type, id, user, startedAt, endedAt, status }: PbsTask) {
  return {
    upid,
    node: 'localhost',
    pid: 812,
    pstart: 3301,
    starttime: startedAt,
    worker_type: type,
    worker_id: id,
    user,
    ...(endedAt === null ? {} : { endtime: endedAt, status }),
  };
}
