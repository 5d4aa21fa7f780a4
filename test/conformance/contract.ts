import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ANSWERS, AS_IN_PVE_9, ENDPOINTS, FIELDS } from './addenda.js';

/** The vendor's published API schemas, as data. They lie beside the project, where they are there at all. */
const FOLDER = resolve(process.env.PBS_CTL_CONTRACTS ?? '../shared/contracts');
export const contractsAreHere = existsSync(join(FOLDER, 'pve-9.2.json'));
export const WHY_SKIPPED = `the published API schemas are not in ${FOLDER} (PBS_CTL_CONTRACTS names another place)`;

/** Every version whose schemas are published here. */
export const VERSIONS = { pve: ['8.4', '9.2'], pbs: ['3.4', '4.0', '4.1', '4.2'] } as const;

export interface Schema {
  readonly type?: string;
  readonly optional?: boolean | 0 | 1;
  readonly enum?: readonly unknown[];
  /** A name that the server's own code gives a meaning to, or the schema of a property string. */
  readonly format?: string | Schema;
  readonly default_key?: boolean | 0 | 1 | string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number | string;
  readonly maximum?: number | string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | 0 | 1 | Schema;
  readonly items?: Schema;
  readonly requires?: string;
}

/** Who may use an endpoint, as either product writes it; an empty one means the superuser alone. */
export interface Permission {
  readonly user?: string;
  readonly check?: unknown;
  readonly and?: readonly Permission[];
  readonly or?: readonly Permission[];
}

export interface Endpoint {
  readonly parameters?: Schema;
  readonly permissions?: Permission;
  readonly returns?: Schema;
  readonly allowtoken?: boolean;
}

export interface Contract {
  readonly product: 'pve' | 'pbs';
  readonly version: string;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** The endpoint of a request, with the parameters that stand in its path. */
  find(
    method: string,
    path: string,
  ): { name: string; endpoint: Endpoint; inPath: Record<string, string> } | null;
}

export function contract(product: 'pve' | 'pbs', version: string): Contract {
  const endpoints = completed(product, version);
  const known = Object.entries(endpoints).map(([name, endpoint]) => {
    const [method = '', template = ''] = name.split(' ');
    return { name, endpoint, method, parts: template.split('/') };
  });
  return {
    product,
    version,
    endpoints,
    find(method, path) {
      const given = path.split('/').map(decodeURIComponent);
      const matches = known.flatMap(({ name, endpoint, method: verb, parts }) => {
        if (verb !== method || parts.length !== given.length) return [];
        const inPath: Record<string, string> = {};
        for (const [index, part] of parts.entries()) {
          const value = given[index] ?? '';
          if (part.startsWith('{')) inPath[part.slice(1, -1)] = value;
          else if (part !== value) return [];
        }
        return [{ name, endpoint, inPath }];
      });
      return matches.sort((a, b) => Object.keys(a.inPath).length - Object.keys(b.inPath).length)[0] ?? null;
    },
  };
}

const published = (product: string, version: string) =>
  (
    JSON.parse(readFileSync(join(FOLDER, `${product}-${version}.json`), 'utf8')) as {
      endpoints: Record<string, Endpoint>;
    }
  ).endpoints;

/** What is published, with what it leaves out. */
function completed(product: 'pve' | 'pbs', version: string): Record<string, Endpoint> {
  const endpoints = published(product, version);
  const of = <Value>(addenda: Readonly<Record<string, Value>>) =>
    Object.entries(addenda).flatMap(
      ([name, value]): Array<[string, Value]> =>
        name.startsWith(`${product} `) ? [[name.slice(product.length + 1), value]] : [],
    );
  const put = (name: string, returns: Schema) => {
    endpoints[name] = { ...endpoints[name], returns };
  };
  for (const [name, endpoint] of of(ENDPOINTS)) endpoints[name] ??= endpoint;
  for (const [name, returns] of of(ANSWERS))
    if (endpoints[name]?.returns?.type === 'null') put(name, returns);
  for (const [name, mend] of of(FIELDS)) put(name, mend(endpoints[name]?.returns ?? {}));
  if (product === 'pve' && version === '8.4') {
    const later = published('pve', '9.2');
    for (const name of AS_IN_PVE_9) put(name, later[name]?.returns ?? {});
  }
  return endpoints;
}
