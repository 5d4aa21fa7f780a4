import { flag, optional, type Parameter, text, whole } from '../parameters.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost } from './host.js';
import { type PbsCall, PbsError, type PbsRoute, Raw, WithAttributes } from './server.js';
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
        statusfilter: optional({ type: 'array', values: STATES, byCode: true }),
        userfilter: optional(text),
        store: optional(text),
      },
      needs: null,
      handle: ({ params, tokenId }) => {
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        const start = Number(params.start ?? 0);
        const seen = host.tasks
          .filter(({ user }) => access.has('/system/tasks', 'Sys.Audit') || user === tokenId)
          .filter((each) => passes(each, params))
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
      params: { upid: UPID },
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
        upid: UPID,
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
        if (isSet(params.download)) {
          if (['start', 'limit', 'test-status'].some((each) => params[each] !== undefined))
            throw new PbsError("Parameter 'download' cannot be used with other parameters");
          return new Raw(found.log.map((line) => `${line}\n`).join(''), 'text/plain');
        }
        const first = Math.max(1, Number(params.start ?? 1));
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        const lines = found.log.slice(first - 1, limit === 0 ? undefined : first - 1 + limit);
        return new WithAttributes(
          lines.map((line, index) => ({ n: first + index, t: line })),
          {
            total: found.log.length,
            success: 1,
            ...(isSet(params['test-status']) ? { active: found.endedAt === null } : {}),
          },
        );
      },
    },
  ];
}

const STATES = ['ok', 'warning', 'error', 'unknown'];
const UPID: Parameter = {
  type: 'string',
  minLength: 36,
  pattern:
    /^UPID:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8,16}:[0-9A-Fa-f]{8}:[^:\s]+:[^:\s]*:[^:\s]+:$/,
};
const isSet = (value: unknown) => /^(?:1|on|yes|true)$/i.test(String(value ?? ''));

/** The only tasks whose store the server knows. */
const OF_STORES = /^(?:verif.*|syncjob|prune|prunejob|backup|garbage_collection)$/;

/** Whether a task is listed under the filters of a request. */
function passes(
  { type, store, user, startedAt, endedAt, status }: PbsTask,
  params: Readonly<Record<string, unknown>>,
): boolean {
  const { running, errors, since, until, typefilter, userfilter, statusfilter, store: wanted } = params;
  const ended = endedAt !== null;
  return (
    !(isSet(running) && ended) &&
    // Running tasks stay, as do warnings.
    !(isSet(errors) && ended && status === 'OK') &&
    // By the start: what began earlier and still runs is hidden as well.
    startedAt >= Number(since ?? 0) &&
    startedAt <= Number(until ?? Infinity) &&
    type.includes(String(typefilter ?? '')) &&
    user.includes(String(userfilter ?? '')) &&
    (wanted === undefined || (OF_STORES.test(type) && store === wanted)) &&
    (statusfilter === undefined || (ended && [statusfilter].flat().includes(stateOf(status))))
  );
}

function stateOf(status: string | null): string {
  if (status === 'OK') return 'ok';
  if (status === 'unknown' || status === null) return 'unknown';
  return status.startsWith('WARNINGS') ? 'warning' : 'error';
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
