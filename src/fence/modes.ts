import type { DatastoreConfigs, Maintenance, MaintenanceMode, Pbs } from '../api/pbs.js';
import { Fault, Outdated } from '../fault.js';

const LOST_RACES = 6;

/**
 * The maintenance modes of a host's datastores, changed one at a time by compare-and-swap. The digest covers all
 * datastores, so they are read again after each write, and after one that was refused.
 */
export class MaintenanceModes {
  readonly #pbs: Pick<Pbs, 'datastoreConfigs' | 'setMaintenance'>;
  #seen: DatastoreConfigs | null;

  /** @param seen the datastores as just read, which saves the first request */
  constructor(pbs: Pick<Pbs, 'datastoreConfigs' | 'setMaintenance'>, seen: DatastoreConfigs | null = null) {
    this.#pbs = pbs;
    this.#seen = seen;
  }

  names(): string[] {
    return this.#seen?.datastores.map(({ name }) => name) ?? [];
  }

  /**
   * Lets `act` decide by the current mode and `set` another, or none with null; again if another user was faster.
   * @throws Fault `pbs.no-datastore` if it does not exist, and the Fault of a write that was refused
   */
  async change(
    name: string,
    act: (current: Maintenance | null, set: (mode: MaintenanceMode | null) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { datastores, digest } = this.#seen ?? (await this.#pbs.datastoreConfigs());
      const config = datastores.find((each) => each.name === name);
      if (!config) throw gone(name);
      this.#seen = { datastores, digest };
      try {
        return await act(config.maintenance, async (mode) => {
          this.#seen = null;
          await this.#pbs.setMaintenance(name, mode, digest);
        });
      } catch (error) {
        const again = error instanceof Outdated || (error instanceof Fault && error.kind === 'unknown');
        if (!again || attempt === LOST_RACES) throw error;
      }
    }
  }
}

const gone = (name: string) =>
  new Fault(
    'pbs.no-datastore',
    `The datastore ${name} is not in the config of the host, or the token may not see it.`,
    {
      hint: `Check that it is there, and that user and token have Datastore.Audit on /datastore/${name}.`,
    },
  );
