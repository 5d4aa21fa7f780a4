import { optional, sha256, text } from '../parameters.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost } from './host.js';
import { PbsError, type PbsRoute, shuffled, WithAttributes } from './server.js';
import type { SimulatedDatastore } from './state.js';

const MODES = ['read-only', 'offline', 'delete', 'unmount', 's3-refresh'];

/** Datastores as they are configured, their maintenance modes, and who uses them. Nothing here touches their files. */
export function datastoreRoutes(host: PbsHost): PbsRoute[] {
  const audit = (params: Readonly<Record<string, unknown>>) =>
    [`/datastore/${params.name}`, ['Datastore.Audit']] as const;
  return [
    {
      method: 'GET',
      path: '/admin/datastore',
      needs: null,
      handle: () =>
        shuffled(host.visibleDatastores()).map(({ name, maintenance }) => ({
          store: name,
          comment: null,
          'mount-status': 'nonremovable',
          ...(maintenance ? { maintenance } : {}),
          ...backendOf(host),
        })),
    },
    {
      method: 'GET',
      path: '/admin/datastore/{name}/active-operations',
      needs: audit,
      // One that does not exist is not looked for.
      handle: ({ params }) => {
        const using = host.running().filter((task) => task.store === params.name);
        return {
          read:
            using.filter(({ access }) => access === 'read').length +
            host.stores.readersOf(String(params.name)),
          write: using.filter(({ access }) => access === 'write').length,
        };
      },
    },
    {
      method: 'GET',
      path: '/config/datastore',
      needs: null,
      handle: () =>
        new WithAttributes(shuffled(host.visibleDatastores()).map(config), { digest: host.digest() }),
    },
    {
      method: 'GET',
      path: '/config/datastore/{name}',
      needs: audit,
      handle: ({ params }) =>
        new WithAttributes(config(host.datastoreAt(params.name)), { digest: host.digest() }),
    },
    {
      method: 'PUT',
      path: '/config/datastore/{name}',
      params: {
        'maintenance-mode': optional(text),
        delete: optional({ type: 'array', values: ['comment', 'gc-schedule', 'maintenance-mode'] }),
        digest: optional(sha256),
        comment: optional(text),
      },
      needs: (params) => [`/datastore/${params.name}`, ['Datastore.Modify']],
      daemon: true,
      handle: async ({ params }) => {
        await host.stores.waitForLock();
        const datastore = host.datastoreAt(params.name);
        if (params.digest !== undefined && params.digest !== host.digest())
          throw new PbsError('detected modified configuration - file changed by other user? Try again.');
        if ([params.delete].flat().includes('maintenance-mode')) {
          datastore.maintenance = null;
          host.record.event('maintenance-cleared', host.name, { datastore: datastore.name });
        }
        if (params['maintenance-mode'] !== undefined)
          setMode(host, datastore, String(params['maintenance-mode']));
      },
    },
  ];
}

/** From 4.1.6 on the lists say where a datastore is kept. */
export const backendOf = ({ version }: PbsHost) =>
  DIFFERENCES[version].tellsBackend ? { 'backend-type': 'filesystem' } : {};

const config = ({ name, path, maintenance }: SimulatedDatastore) => ({
  name,
  path,
  ...(maintenance ? { 'maintenance-mode': maintenance } : {}),
});

/** Stored without `type=`; a comma in the message makes the write fail. */
function setMode(host: PbsHost, datastore: SimulatedDatastore, text: string): void {
  const [, mode = '', given] = /^(?:type=)?([^,]*)(?:,message=(.*))?$/s.exec(text) ?? [];
  const message = given?.replace(/^"(.*)"$/, '$1') ?? null;
  if (mode === '')
    throw new PbsError(`parameter verification failed - 'maintenance-mode': unable to parse '${text}'`);
  if (!MODES.includes(mode))
    throw new PbsError(DIFFERENCES[host.version].unknownVariant('maintenance-mode', mode, MODES));
  if (message && message.length > 64)
    throw new PbsError(
      "parameter verification failed - 'maintenance-mode': value may only be 64 characters long",
    );
  if (message?.includes(','))
    throw new PbsError('writing "/etc/proxmox-backup/datastore.cfg" failed: verify section failed');
  datastore.maintenance = message === null ? mode : `${mode},message=${message}`;
  host.record.event('maintenance-set', host.name, { datastore: datastore.name, mode, message });
}
