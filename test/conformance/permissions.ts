import type { Endpoint } from './contract.js';

/** Privileges on one ACL path: one of them is enough, or all are needed. */
export interface Demand {
  readonly path: string;
  readonly privileges: readonly string[];
  readonly any: boolean;
}

/** Alternatives, each a list of demands that must all be met. `[[]]`: every authenticated caller. Null: the superuser alone. */
export type Ways = readonly (readonly Demand[])[] | null;

/** What an endpoint's published `permissions` demand of a caller, with the parameters of a request filled in. */
export function demandsOf(
  { permissions }: Endpoint,
  product: 'pve' | 'pbs',
  parameters: Readonly<Record<string, unknown>>,
): Ways {
  if (permissions === undefined || Object.keys(permissions).length === 0) return null;
  // Where both stand, the handler filters by the check what every caller may ask for.
  if (permissions.user === 'all' || permissions.user === 'world') return [[]];
  return product === 'pve'
    ? pveWays(permissions.check, parameters)
    : pbsWays(permissions.check as PbsCheck, parameters);
}

export const isMet = (ways: Ways, has: (path: string, privilege: string) => boolean): boolean =>
  (ways ?? []).some((demands) =>
    demands.every(({ path, privileges, any }) =>
      any
        ? privileges.some((privilege) => has(path, privilege))
        : privileges.every((privilege) => has(path, privilege)),
    ),
  );

const filled = (path: string, parameters: Readonly<Record<string, unknown>>) =>
  path.replace(/\{([\w-]+)\}/g, (_, name: string) => String(parameters[name]));

/** `["perm", path, [privileges], "any", 1]`, nested with "and" and "or". */
function pveWays(check: unknown, parameters: Readonly<Record<string, unknown>>): Ways {
  const [kind, ...rest] = check as readonly unknown[];
  if (kind === 'perm') {
    const [path, privileges, word, any] = rest as [string, string[], string?, number?];
    return [[{ path: filled(path, parameters), privileges, any: word === 'any' && any === 1 }]];
  }
  if (kind === 'or') return rest.flatMap((each) => pveWays(each, parameters) ?? []);
  if (kind === 'and') return together(rest.map((each) => pveWays(each, parameters)));
  throw new Error(`a permission check of the unknown kind ${String(kind)}`);
}

type PbsCheck =
  | { readonly privs: string[]; readonly path: string[]; readonly partial: boolean }
  | { readonly and: PbsCheck[] }
  | { readonly or: PbsCheck[] };

function pbsWays(check: PbsCheck, parameters: Readonly<Record<string, unknown>>): Ways {
  if ('and' in check) return together(check.and.map((each) => pbsWays(each, parameters)));
  if ('or' in check) return check.or.flatMap((each) => pbsWays(each, parameters) ?? []);
  const path = filled(`/${check.path.join('/')}`, parameters);
  return [[{ path, privileges: check.privs, any: check.partial }]];
}

function together(parts: readonly Ways[]): Ways {
  return parts.reduce<Ways>(
    (all, ways) => (all === null || ways === null ? null : all.flatMap((a) => ways.map((b) => [...a, ...b]))),
    [[]],
  );
}
