import { join } from 'node:path';
import { AgentSide } from './agent-side.js';
import { holdLock, put, readMounts, refreshLocks } from './disk.js';
import { journalLines } from './journal.js';
import { runOneshot } from './oneshot.js';
import { type InstalledPackage, type PendingChange, readInstalled, readPending } from './packages.js';
import { FRONTEND_LOCK } from './spec.js';

/** What a simulated machine has inside: files, packages, units, journal, mounts, locks. */
export abstract class Inside extends AgentSide {
  readonly #starting = new Map<string, Promise<number | null>>();

  protected get state(): string {
    return join(this.root, '.machine');
  }

  /** One that is still starting is joined, not started again. */
  startUnit(unit: string): Promise<number | null> {
    const begun = this.#starting.get(unit);
    if (begun) return begun;
    const run = runOneshot(this.root, { factor: this.time.factor, bootId: this.bootId, unit });
    this.#starting.set(unit, run);
    return run.finally(() => this.#starting.delete(unit));
  }

  writeFile(path: string, text: string): void {
    put(this.root, path, text);
  }

  unitLines(unit: string): string[] {
    return journalLines(this.root, { unit });
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
