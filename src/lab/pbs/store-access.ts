import type { LabTime } from '../time.js';
import { PbsError } from './server.js';
import type { SimulatedDatastore } from './state.js';

/** What is said while a call that hangs holds the lock of the datastore config; it does not say which store hangs. */
const LOCKED =
  'Unable to acquire lock "/etc/proxmox-backup/.datastore.lck" - Interrupted system call (os error 4)';
/** Simulated seconds that a call waits for that lock. */
const LOCK_PATIENCE = 10;
/** Real seconds between two looks whether a store still hangs. */
const LOOK_SECONDS = 0.02;

/** A datastore that could not be opened. */
export class StoreClosed extends PbsError {}

/**
 * How the proxy reaches its datastores: who reads them at the moment, which have been opened since it started, who
 * holds the lock under which they are opened, and how many of its worker threads a hanging one has taken.
 */
export class StoreAccess {
  /** One a core: when all of them hang, the proxy answers nothing at all. */
  cores = 2;
  /** Simulated seconds that a call which touches a store takes. */
  callSeconds = 0.2;
  readonly #time: LabTime;
  readonly #problemOf: (store: SimulatedDatastore) => Promise<string | null>;
  readonly #stall: (stalled: boolean) => void;
  readonly #readers = new Map<string, number>();
  #opened: Set<string> | 'all' = 'all';
  #locks = 0;
  #threads = 0;
  /** Counts boots and starts of the proxy: what an earlier one held is not freed in this one. */
  #boots = 0;
  #starts = 0;

  constructor(options: {
    readonly time: LabTime;
    readonly problemOf: (store: SimulatedDatastore) => Promise<string | null>;
    readonly stall: (stalled: boolean) => void;
  }) {
    this.#time = options.time;
    this.#problemOf = options.problemOf;
    this.#stall = options.stall;
  }

  /** Calls of the API that read a store at the moment. */
  readersOf(store: string): number {
    return this.#readers.get(store) ?? 0;
  }

  /** Whether a store was opened since the proxy started: what vanishes afterwards shows otherwise. */
  isOpen(store: string): boolean {
    return this.#opened === 'all' || this.#opened.has(store);
  }

  /** Why nothing can be opened or changed at the moment; null when it can. */
  get locked(): string | null {
    return this.#locks > 0 ? LOCKED : null;
  }

  /** The proxy starts anew, after a boot or a reload; those of before a reload end their calls. */
  restarted(how: 'boot' | 'reload'): void {
    this.#starts += 1;
    this.#opened = new Set();
    this.#threads = 0;
    this.#stall(false);
    if (how === 'reload') return;
    this.#boots += 1;
    this.#locks = 0;
    this.#readers.clear();
  }

  /** @throws PbsError after ten seconds in which the lock was not to be had */
  async waitForLock(): Promise<void> {
    const looks = (LOCK_PATIENCE / this.#time.factor) * (1 / LOOK_SECONDS);
    for (let look = 0; this.#locks > 0; look += 1) {
      if (look >= looks) throw new StoreClosed(LOCKED);
      await this.#pause();
    }
  }

  /**
   * Opens a store, which makes the caller a reader of it, and does what it came for.
   * @param blocking whether its thread waits for the files of the store
   * @throws StoreClosed when it cannot be opened
   */
  async reading<Value>(
    store: SimulatedDatastore,
    { blocking }: { readonly blocking: boolean },
    act: () => Value | Promise<Value>,
  ): Promise<Value> {
    if (this.#locks > 0) await this.#blocked(() => this.waitForLock());
    const problem = await this.#problemOf(store);
    if (problem !== null) throw new StoreClosed(problem);
    const boot = this.#boots;
    if (!this.isOpen(store.name) && store.trouble === 'hangs') {
      // Not open, so nobody reads it yet: what hangs here shows nowhere.
      this.#locks += 1;
      try {
        await this.#blocked(() => this.#whileHanging(store));
      } finally {
        if (boot === this.#boots) this.#locks -= 1;
      }
    }
    if (this.#opened !== 'all') this.#opened.add(store.name);
    this.#count(store.name, 1);
    try {
      if (store.trouble === 'hangs')
        await (blocking ? this.#blocked(() => this.#whileHanging(store)) : this.#whileHanging(store));
      if (this.callSeconds > 0) await this.#time.sleep(this.callSeconds);
      return await act();
    } finally {
      if (boot === this.#boots) this.#count(store.name, -1);
    }
  }

  async #whileHanging(store: SimulatedDatastore): Promise<void> {
    while (store.trouble === 'hangs') await this.#pause();
  }

  /** Holds a worker thread meanwhile. */
  async #blocked<Value>(act: () => Promise<Value>): Promise<Value> {
    const start = this.#starts;
    this.#threads += 1;
    this.#stall(this.#threads >= this.cores);
    try {
      return await act();
    } finally {
      if (start === this.#starts) {
        this.#threads -= 1;
        this.#stall(this.#threads >= this.cores);
      }
    }
  }

  #count(store: string, change: number): void {
    this.#readers.set(store, Math.max(0, this.readersOf(store) + change));
  }

  #pause(): Promise<void> {
    return this.#time.sleep(LOOK_SECONDS * this.#time.factor);
  }
}
