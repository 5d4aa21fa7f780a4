import type { GuestMachine } from '../guest-machine.js';
import type { LabRecord } from '../record.js';

const PACKAGE = 'proxmox-backup-server';

/**
 * The proxy as it runs: of the version that was installed when it started. An upgrade changes its files and,
 * once it configures the package, has it reloaded; until then it tells of the old version.
 */
export class RunningProxy {
  readonly #machine: GuestMachine;
  #packageVersion: Promise<string | null>;

  constructor(machine: GuestMachine, record: LabRecord) {
    this.#machine = machine;
    this.#packageVersion = this.#installed();
    const restarted = () => {
      this.#packageVersion = this.#installed();
    };
    machine.on('up', restarted);
    // A real machine tells nothing of a reload: there only the boot counts.
    record.onEntry((entry) => {
      if ('kind' in entry && entry.kind === 'proxy-reloaded' && entry.host === machine.name) restarted();
    });
  }

  /** `4.2` and `3`, as `/version` tells them; null where the machine does not know what it has installed. */
  async version(): Promise<{ readonly version: string; readonly release: string } | null> {
    const [, version, release] = /^(\d+\.\d+)\.(\d+)/.exec((await this.#packageVersion) ?? '') ?? [];
    return version && release ? { version, release } : null;
  }

  async #installed(): Promise<string | null> {
    try {
      const packages = await this.#machine.installedPackages();
      return packages.find(({ name }) => name === PACKAGE)?.version ?? null;
    } catch {
      return null;
    }
  }
}
