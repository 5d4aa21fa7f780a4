import { flag, optional, text } from '../parameters.js';
import { contentRoutes, GONE, seesGroups } from './content-routes.js';
import type { SimulatedGroup } from './contents.js';
import { backendOf } from './datastore-routes.js';
import type { PbsHost } from './host.js';
import { jobsOf, runOf } from './job-routes.js';
import { PbsError, type PbsRoute, shuffled } from './server.js';
import type { SimulatedDatastore } from './state.js';
import { StoreClosed } from './store-access.js';

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
        seesGroups(access, `/datastore/${params.name}`, tokenId, 'Datastore.Audit');
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
    ...contentRoutes(host, contentsOf),
  ];
}

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
