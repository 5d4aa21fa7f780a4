import { flag, oneOf, optional, text, whole } from '../parameters.js';
import { filesOf, listedGroup, namespacesOf, type SimulatedGroup } from './contents.js';
import { backendOf } from './datastore-routes.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost } from './host.js';
import { jobsOf, runOf } from './job-routes.js';
import { PbsError, type PbsRoute, Raw, shuffled } from './server.js';
import type { SimulatedDatastore } from './state.js';
import { StoreClosed } from './store-access.js';

type Params = Readonly<Record<string, unknown>>;

/** Seconds between two values of the usage history. */
const HISTORY_DELTA = 1800;

/** Everything that touches the files of a datastore, and so hangs when one of them does. */
export function storeRoutes(host: PbsHost): PbsRoute[] {
  const { access, stores, time } = host;
  const contentsOf = async (store: SimulatedDatastore): Promise<SimulatedGroup[]> => {
    if (store.trouble === 'path-gone') throw new PbsError(GONE);
    // What shows at the mount point of a disk that went away is an empty folder.
    return (await host.mountOf(store.path)) ? (store.groups ?? []) : [];
  };
  const sizesOf = async (store: SimulatedDatastore) => {
    if (store.trouble === 'path-gone') throw new PbsError(GONE);
    const mount = (await host.mountOf(store.path)) ?? (await host.machine.vitals()).root;
    return { total: mount.total, used: mount.used, avail: mount.total - mount.used };
  };
  /** Who may see what is in a store: with Audit everything, with Backup what is one's own. */
  const sees = (name: unknown, tokenId: string, all: string) => {
    const path = `/datastore/${name}`;
    if (access.has(path, all)) return () => true;
    if (access.has(path, 'Datastore.Backup')) return ({ owner }: SimulatedGroup) => owner === tokenId;
    throw new PbsError(`permission check failed - missing ${all}|Datastore.Backup on ${path}`, 403);
  };
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
      const seen = sees(given.name, tokenId, all);
      const store = host.datastoreAt(given.name);
      return stores.reading(store, { blocking: true }, async () => {
        const groups = await contentsOf(store);
        const ns = String(given.ns ?? '');
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
    if (!found) throw new PbsError(GONE);
    return found;
  };
  return [
    {
      method: 'GET',
      path: '/status/datastore-usage',
      needs: null,
      handle: async () => {
        const entries: unknown[] = [];
        for (const store of shuffled(host.visibleDatastores())) {
          const base = { store: store.name, 'mount-status': 'nonremovable', ...backendOf(host) };
          const entry = stores.reading(store, { blocking: false }, async () => ({
            ...base,
            ...(await sizesOf(store)),
            'history-start': Math.floor(time.now() / HISTORY_DELTA - HISTORY.length) * HISTORY_DELTA,
            'history-delta': HISTORY_DELTA,
            history: HISTORY,
            'estimated-full-date': time.now() + 400 * 86_400,
            'gc-status': { upid: null, ...NO_GARBAGE },
          }));
          entries.push(
            await entry.catch((error: unknown) => {
              // What breaks after it was opened breaks the whole answer.
              if (error instanceof StoreClosed) return { ...base, error: error.message };
              throw error;
            }),
          );
        }
        return entries;
      },
    },
    {
      method: 'GET',
      path: '/admin/gc',
      params: { store: optional(text) },
      needs: null,
      handle: async ({ params }) => {
        const entries: unknown[] = [];
        for (const store of shuffled(host.visibleDatastores())) {
          if ((params.store ?? store.name) !== store.name) continue;
          const entry = stores.reading(store, { blocking: false }, () => garbageOf(host, store));
          // A store that cannot be opened is left out without a word.
          entries.push(
            ...(await entry.then(
              (found) => [found],
              (error: unknown) => {
                if (error instanceof StoreClosed) return [];
                throw error;
              },
            )),
          );
        }
        return entries;
      },
    },
    {
      method: 'GET',
      path: '/admin/datastore/{name}/status',
      params: { verbose: optional(flag) },
      needs: null,
      handle: ({ params, tokenId }) => {
        sees(params.name, tokenId, 'Datastore.Audit');
        const store = host.datastoreAt(params.name);
        return stores.reading(store, { blocking: true }, async () => ({
          ...(await sizesOf(store)),
          ...backendOf(host),
          ...(/^(?:1|on|yes|true)$/i.test(String(params.verbose ?? ''))
            ? { counts: countsOf(await contentsOf(store)), 'gc-status': { upid: null, ...NO_GARBAGE } }
            : {}),
        }));
      },
    },
    {
      method: 'GET',
      path: '/admin/datastore/{name}/namespace',
      params: { parent: optional(text), 'max-depth': optional({ ...whole, min: 0, max: 7 }) },
      needs: null,
      handle: ({ params, tokenId }) => {
        sees(params.name, tokenId, 'Datastore.Audit');
        const store = host.datastoreAt(params.name);
        return stores.reading(store, { blocking: true }, async () => {
          const all = store.trouble === 'path-gone' ? [''] : namespacesOf(await contentsOf(store));
          const parent = String(params.parent ?? '');
          return all
            .filter((ns) => parent === '' || ns === parent || ns.startsWith(`${parent}/`))
            .map((ns) => ({ ns }));
        });
      },
    },
    ofContents('groups', { ns: optional(text) }, (groups) =>
      groups.flatMap((group) => listedGroup(group, DIFFERENCES[host.version].listsUnfinished) ?? []),
    ),
    ofContents(
      'snapshots',
      { ns: optional(text), 'backup-type': optional(KIND), 'backup-id': optional(text) },
      (groups, { 'backup-type': wanted, 'backup-id': id }) =>
        groups
          .filter((group) => (wanted ?? group.type) === group.type && (id ?? group.id) === group.id)
          .flatMap(({ type, id: backupId, owner, snapshots }) =>
            snapshots.map((snapshot) => ({
              'backup-type': type,
              'backup-id': backupId,
              'backup-time': snapshot.time,
              files: filesOf(snapshot),
              protected: false,
              ...(owner === null ? {} : { owner }),
              ...(snapshot.unfinished ? {} : { size: sizeOf(snapshot.files) }),
            })),
          ),
    ),
    ofContents('files', { ...SNAPSHOT, ns: optional(text) }, (groups, params) => {
      const found = snapshotAt(groups, params);
      if (found.unfinished)
        throw new PbsError("unable to load blob 'index.json.blob' - No such file or directory (os error 2)");
      return Object.entries(found.files).map(([filename, text]) => ({
        filename,
        'crypt-mode': 'none',
        size: Buffer.byteLength(text),
      }));
    }),
    ofContents(
      'download',
      { ...SNAPSHOT, 'file-name': text, ns: optional(text) },
      (groups, params) => {
        const file = snapshotAt(groups, params).files[String(params['file-name'])];
        if (file === undefined) throw new PbsError('No such file or directory (os error 2)', 404);
        return new Raw(file, 'application/octet-stream');
      },
      'Datastore.Read',
    ),
  ];
}

const GONE = 'ENOENT: No such file or directory';
const KIND = oneOf('vm', 'ct', 'host');
const SNAPSHOT = { 'backup-type': KIND, 'backup-id': text, 'backup-time': { ...whole, min: 1 } };
/** Part of each store that was used, an hour ago and half an hour ago; null where nothing was measured. */
const HISTORY = [null, 0.4, 0.41];

/** The figures of a garbage collection that has not run yet. */
const NO_GARBAGE = {
  'index-file-count': 0,
  'index-data-bytes': 0,
  'disk-bytes': 0,
  'disk-chunks': 0,
  'removed-bytes': 0,
  'removed-chunks': 0,
  'pending-bytes': 0,
  'pending-chunks': 0,
  'removed-bad': 0,
  'still-bad': 0,
};

function garbageOf(host: PbsHost, { name }: SimulatedDatastore): Record<string, unknown> {
  const job = jobsOf(host, 'gc').find((each) => each.store === name);
  const last = job && !runOf(host, job) ? job.lastRun : undefined;
  return {
    store: name,
    ...NO_GARBAGE,
    ...(last ? { upid: last.upid } : {}),
    ...(job ? { schedule: job.schedule, 'next-run': job.nextRun } : {}),
    ...(last
      ? { 'last-run-endtime': last.endedAt, 'last-run-state': last.state, duration: last.seconds }
      : {}),
  };
}

function countsOf(groups: readonly SimulatedGroup[]) {
  const kinds = (['ct', 'host', 'vm'] as const).map((kind) => {
    const found = groups.filter(({ type }) => type === kind);
    const snapshots = found.reduce((sum, group) => sum + group.snapshots.length, 0);
    return [kind, found.length === 0 ? null : { groups: found.length, snapshots }] as const;
  });
  return Object.fromEntries([...kinds, ['other', null] as const]);
}

const sizeOf = (files: Readonly<Record<string, string>>) =>
  Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
