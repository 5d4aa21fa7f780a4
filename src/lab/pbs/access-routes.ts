import { randomUUID } from 'node:crypto';
import { flag, optional, type Parameter, text, whole } from '../parameters.js';
import type { PbsHost } from './host.js';
import { PbsError, type PbsRoute } from './server.js';

const ABSOLUTE: Parameter = { type: 'string', pattern: /^\// };

/** Users, their tokens, and what these may do. */
export function accessRoutes({ access }: PbsHost): PbsRoute[] {
  const on = (path: string, privilege: string) => () => [path, [privilege]] as const;
  const userAt = (userid: unknown) => {
    const found = access.userOf(String(userid));
    if (!found) throw new PbsError(`no such user '${String(userid)}'`);
    return found;
  };
  const tokenAt = ({ userid, 'token-name': name }: Readonly<Record<string, unknown>>) => {
    const id = `${userid}!${name}`;
    const found = access.tokensOf(String(userid)).find(([each]) => each === name);
    if (!found) throw new PbsError(`no such token '${id}'`);
    return { id, entry: found[1] };
  };
  const until = (expire: number) => (expire === 0 ? {} : { expire });
  const token = '/access/users/{userid}/token/{token-name}';
  return [
    {
      method: 'GET',
      path: '/access/permissions',
      params: { path: optional(ABSOLUTE), 'auth-id': optional(text) },
      needs: null,
      handle: ({ params }) => {
        const paths =
          params.path === undefined
            ? ['/', '/access', '/datastore', '/remote', '/system', ...access.paths()]
            : [String(params.path)];
        const held = paths.map((path) => [path, Object.fromEntries(access.effective(path))] as const);
        return Object.fromEntries(held.filter(([, privileges]) => Object.keys(privileges).length > 0));
      },
    },
    {
      method: 'GET',
      path: '/access/users/{userid}',
      needs: on('/access/users', 'Sys.Audit'),
      handle: ({ params }) => {
        const { enable, expire } = userAt(params.userid);
        return { userid: params.userid, ...(enable ? {} : { enable }), ...until(expire) };
      },
    },
    {
      method: 'GET',
      path: token,
      needs: on('/access/users', 'Sys.Audit'),
      // Only its own expiry: that of its user is said there.
      handle: ({ params }) => {
        const { id, entry } = tokenAt(params);
        return { tokenid: id, ...until(entry.expire) };
      },
    },
    {
      method: 'PUT',
      path: token,
      params: { regenerate: optional(flag), expire: optional(whole) },
      needs: on('/access/users', 'Permissions.Modify'),
      daemon: true,
      handle: ({ params }) => {
        const { id } = tokenAt(params);
        if (params.expire !== undefined) access.changeToken(id, { expire: Number(params.expire) });
        if (!/^(?:1|on|yes|true)$/i.test(String(params.regenerate ?? ''))) return null;
        const secret = randomUUID();
        access.changeSecret(id, secret);
        return { secret };
      },
    },
    {
      method: 'DELETE',
      path: token,
      needs: on('/access/users', 'Permissions.Modify'),
      daemon: true,
      handle: ({ params }) => access.deleteToken(tokenAt(params).id),
    },
  ];
}
