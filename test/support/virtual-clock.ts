import type { Clock } from '../../src/world.js';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that passes only when a test says so; whoever sleeps meanwhile wakes in order. */
export class VirtualClock implements Clock {
  #now = 1_764_000_000_000;
  #stepped = 0;
  #sleepers: Sleeper[] = [];

  now = () => this.#now + this.#stepped;
  monotonic = () => this.#now;

  /** Sets the wall clock forward or back; nobody who sleeps wakes by that. */
  step(ms: number): void {
    this.#stepped += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      const sleeper = { at: this.#now + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', aborted);
      if (signal?.aborted) reject(signal.reason);
    });
  }

  timeout(ms: number): AbortSignal {
    const over = new AbortController();
    void this.sleep(ms).then(() => over.abort(new DOMException('The time is over.', 'TimeoutError')));
    return over.signal;
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const [next] = this.#sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#sleepers = this.#sleepers.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = until;
  }

  /** Lets time pass until the promise is settled, an hour at most. */
  async until<Value>(promise: Promise<Value>): Promise<Value> {
    let over = false;
    const watched = promise.finally(() => {
      over = true;
    });
    watched.catch(() => {});
    const limit = this.#now + 3_600_000;
    for (;;) {
      await settled();
      if (over || this.#now >= limit) break;
      const next = Math.min(...this.#sleepers.map(({ at }) => at), limit);
      await this.pass(Math.max(0, next - this.#now));
    }
    return watched;
  }
}

/** Until everything that needs no time has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
