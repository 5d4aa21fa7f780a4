import { oneOf, optional, text, whole } from '../parameters.js';
import { blobOf, filesOf, INDEX, textOf } from './blobs.js';
import { namespacesOf, type SimulatedGroup } from './contents.js';
import { listedGroup, listsUnfinished } from './group-list.js';
import type { PbsHost } from './host.js';
import { PbsError, type PbsRoute, Raw } from './server.js';
import type { SimulatedDatastore } from './state.js';

type Params = Readonly<Record<string, unknown>>;

export const GONE = 'ENOENT: No such file or directory';
const KIND = oneOf('vm', 'ct', 'host');
const SNAPSHOT = { 'backup-type': KIND, 'backup-id': text, 'backup-time': { ...whole, min: 1 } };
const FILE = { ...SNAPSHOT, 'file-name': text, ns: optional(text) };

/** What is in a datastore: its namespaces, groups, snapshots and their files. Asks rights in the handler, path by path. */
export function contentRoutes(
  host: PbsHost,
  contentsOf: (store: SimulatedDatastore) => Promise<SimulatedGroup[]>,
): PbsRoute[] {
  const { access, stores } = host;
  const ofContents = (
    what: string,
    params: PbsRoute['params'],
    show: (groups: SimulatedGroup[], params: Params) => unknown,
    all = 'Datastore.Audit',
  ): PbsRoute => ({
    method: 'GET',
    path: `/admin/datastore/{name}/${what}`,
    ...(params ? { params } : {}),
    needs: null,
    handle: ({ params: given, tokenId }) => {
      const ns = String(given.ns ?? '');
      const seen = seesGroups(access, pathOf(given.name, ns), tokenId, all);
      const store = host.datastoreAt(given.name);
      return stores.reading(store, { blocking: true }, async () => {
        const groups = await contentsOf(store);
        if (!namespacesOf(groups).includes(ns)) throw new PbsError(GONE);
        return show(
          groups.filter((group) => group.ns === ns && seen(group)),
          given,
        );
      });
    },
  });
  const snapshotAt = (groups: SimulatedGroup[], params: Params) => {
    const group = groups.find(({ type, id }) => type === params['backup-type'] && id === params['backup-id']);
    const found = group?.snapshots.find(({ time: at }) => at === Number(params['backup-time']));
    if (!group || !found) throw new PbsError(GONE);
    return { group, found };
  };
  return [
    {
      method: 'GET',
      path: '/admin/datastore/{name}/namespace',
      params: { parent: optional(text), 'max-depth': optional({ ...whole, min: 0, max: 7 }) },
      needs: null,
      handle: ({ params, tokenId }) => {
        seesGroups(access, pathOf(params.name, ''), tokenId, 'Datastore.Audit');
        const store = host.datastoreAt(params.name);
        return stores.reading(store, { blocking: true }, async () => {
          const all = store.trouble === 'path-gone' ? [''] : namespacesOf(await contentsOf(store));
          const parent = String(params.parent ?? '');
          // One without rights is left out without a word.
          return all
            .filter((ns) => parent === '' || ns === parent || ns.startsWith(`${parent}/`))
            .filter((ns) => SEES.some((each) => access.has(pathOf(params.name, ns), each)))
            .map((ns) => ({ ns }));
        });
      },
    },
    {
      ...ofContents('groups', { ns: optional(text) }, (groups) => groups),
      handle: async (call) => {
        const [groups, running] = await Promise.all([
          ofContents('groups', {}, (found) => found).handle(call) as Promise<SimulatedGroup[]>,
          host.runningVersion(),
        ]);
        return groups.flatMap((group) => listedGroup(group, listsUnfinished(running)) ?? []);
      },
    },
    ofContents(
      'snapshots',
      { ns: optional(text), 'backup-type': optional(KIND), 'backup-id': optional(text) },
      (groups, { 'backup-type': wanted, 'backup-id': id }) =>
        groups
          .filter((group) => (wanted ?? group.type) === group.type && (id ?? group.id) === group.id)
          .flatMap((group) =>
            group.snapshots.map((snapshot) => ({
              'backup-type': group.type,
              'backup-id': group.id,
              'backup-time': snapshot.time,
              files: filesOf(snapshot),
              protected: false,
              ...(group.owner === null ? {} : { owner: group.owner }),
              ...(snapshot.unfinished ? {} : { size: sizeOf(group, snapshot) }),
            })),
          ),
    ),
    ofContents('files', { ...SNAPSHOT, ns: optional(text) }, (groups, params) => {
      const { group, found } = snapshotAt(groups, params);
      if (found.unfinished)
        throw new PbsError(`unable to load blob '${INDEX}' - No such file or directory (os error 2)`);
      if (found.damaged) throw new PbsError(`unable to load blob '${INDEX}' - wrong magic number`);
      return filesOf(found).map((filename) => ({
        filename,
        'crypt-mode': 'none',
        size: blobOf(group, found, filename)?.length ?? 0,
      }));
    }),
    ...(['download', 'download-decoded'] as const).map((what) =>
      ofContents(
        what,
        FILE,
        (groups, params) => {
          const { group, found } = snapshotAt(groups, params);
          const name = String(params['file-name']);
          const broken = found.damaged && (what === 'download-decoded' || name !== INDEX);
          if (broken) throw new PbsError(`unable to load blob '${INDEX}' - wrong magic number`);
          const body = what === 'download' ? blobOf(group, found, name) : textOf(group, found, name);
          if (body === null) throw new PbsError('No such file or directory (os error 2)', 404);
          return new Raw(body, 'application/octet-stream');
        },
        'Datastore.Read',
      ),
    ),
  ];
}

const SEES = ['Datastore.Audit', 'Datastore.Backup'];

const pathOf = (store: unknown, ns: string) => `/datastore/${store}${ns === '' ? '' : `/${ns}`}`;

/** Who may see what is there: with Audit everything, with Backup what is one's own. @throws PbsError */
export function seesGroups(
  access: PbsHost['access'],
  path: string,
  tokenId: string,
  all: string,
): (group: SimulatedGroup) => boolean {
  if (access.has(path, all)) return () => true;
  if (access.has(path, 'Datastore.Backup')) return ({ owner }) => owner === tokenId;
  throw new PbsError(`permission check failed - missing ${all}|Datastore.Backup on ${path}`, 403);
}

const sizeOf = (group: SimulatedGroup, snapshot: SimulatedGroup['snapshots'][number]) =>
  filesOf(snapshot).reduce((sum, name) => sum + (blobOf(group, snapshot, name)?.length ?? 0), 0);
