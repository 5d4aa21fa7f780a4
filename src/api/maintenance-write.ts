import { Fault } from '../fault.js';
import { ApiFault } from './failure.js';
import { maintenanceText } from './pbs-answers.js';
import { at, type Server } from './request.js';
import { Nothing } from './shared-answers.js';

export interface MaintenanceMode {
  readonly type: 'read-only' | 'offline';
  /** At most 64 characters. */
  readonly message: string;
}

/**
 * Sets the maintenance mode of a datastore or, with null, clears it.
 * @throws Fault `pbs.modified` when the config is no longer the one with this digest
 */
export async function writeMaintenance(
  server: Server,
  name: string,
  mode: MaintenanceMode | null,
  digest: string,
): Promise<void> {
  if (digest === '') throw new RangeError('without a digest the server would not compare anything');
  const change = mode
    ? { 'maintenance-mode': maintenanceText(mode.type, mode.message) }
    : { delete: 'maintenance-mode' };
  try {
    await server.ask(
      {
        method: 'PUT',
        path: at`/config/datastore/${name}`,
        parameters: { ...change, digest },
        repeat: 'swap',
        needs: { privilege: 'Datastore.Modify', path: `/datastore/${name}` },
      },
      Nothing,
    );
  } catch (cause) {
    if (!(cause instanceof ApiFault && cause.serverWords.includes('detected modified configuration')))
      throw cause;
    throw new Fault('pbs.modified', `The datastore config of "${server.name}" was changed by somebody else`, {
      cause,
    });
  }
}
