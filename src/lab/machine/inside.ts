import { join } from 'node:path';
import { AgentSide } from './agent-side.js';
import { holdLock, put, readMounts, refreshLocks } from './disk.js';
import { journalLines } from './journal.js';
import { type OneshotRun, startOneshot } from './oneshot.js';
import { type InstalledPackage, type PendingChange, readInstalled, readPending } from './packages.js';
import { FRONTEND_LOCK } from './spec.js';
import { killTransientUnits, signalGroup, signalTransientUnits } from './units.js';

/** What a simulated machine has inside: files, packages, units, journal, mounts, locks. */
export abstract class Inside extends AgentSide {
  readonly #starting = new Map<string, OneshotRun>();

  protected get state(): string {
    return join(this.root, '.machine');
  }

  /** One that is still starting is joined, not started again. */
  startUnit(unit: string): Promise<number | null> {
    const begun = this.#starting.get(unit);
    if (begun) return begun.ended;
    const run = startOneshot(this.root, { factor: this.time.factor, bootId: this.bootId, unit });
    this.#starting.set(unit, run);
    return run.ended.finally(() => {
      if (this.#starting.get(unit) === run) this.#starting.delete(unit);
    });
  }

  /** To everything that units run, but for what the system itself runs. */
  protected signalUnits(signal: 'SIGSTOP' | 'SIGCONT'): void {
    signalTransientUnits(this.state, signal);
    for (const { pid } of this.#starting.values()) if (pid !== undefined) signalGroup(pid, signal);
  }

  /** Kills what units run, as the end of a boot does. */
  protected killUnits(): void {
    killTransientUnits(this.state);
    for (const run of this.#starting.values()) {
      run.killed = true;
      if (run.pid !== undefined) signalGroup(run.pid, 'SIGKILL');
    }
    this.#starting.clear();
  }

  writeFile(path: string, text: string): void {
    put(this.root, path, text);
  }

  unitLines(unit: string, since = 0): string[] {
    return journalLines(this.root, { unit, since });
  }

  journal(between: { since?: number; until?: number }): string[] {
    return journalLines(this.root, between);
  }

  installedPackages(): InstalledPackage[] {
    return readInstalled(this.state);
  }

  pendingUpgrades(): PendingChange[] {
    return readPending(this.state);
  }

  /** All mounts but those of the kernel and memory. Sizes in bytes. */
  mounts(): Array<{ path: string; device: string; fstype: string; total: number; used: number }> {
    return readMounts(this.root)
      .filter(({ device }) => device.startsWith('/'))
      .map(({ path, device, fstype, totalBytes, usedBytes }) => ({
        path,
        device,
        fstype,
        total: totalBytes,
        used: usedBytes,
      }));
  }

  /** Lets a process that is not ours hold a lock of apt, for simulated seconds or (null) for ever. */
  holdLock(file: string = FRONTEND_LOCK, seconds: number | null = null, process = 'apt-get'): void {
    const until = seconds === null ? 0 : Date.now() + (seconds * 1000) / this.time.factor;
    holdLock(this.root, file, 1734, process, until);
    refreshLocks(this.root);
  }
}
