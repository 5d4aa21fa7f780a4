import type { Clock } from '../world.js';

/** For what is done besides asking: 2 × `requestTimeout` + 5 s are promised for the whole command. */
const BESIDES_MS = 2000;

/** By when a command that only reads has its answers about one host, whatever hangs there. */
export class Deadline {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #requestTimeoutMs: number;
  readonly #at: number;

  constructor(clock: Pick<Clock, 'monotonic'>, requestTimeoutMs: number) {
    this.#clock = clock;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#at = clock.monotonic() + 2 * requestTimeoutMs + BESIDES_MS;
  }

  /** What a single question may take of the time that is left: `requestTimeout` at most; 0 when there is none. */
  within(limitMs: number): number {
    return Math.max(0, Math.min(limitMs, this.#requestTimeoutMs, this.#at - this.#clock.monotonic()));
  }

  /** Whether there is time to ask again after a failure. */
  get allowsAnother(): boolean {
    return this.#at - this.#clock.monotonic() > this.#requestTimeoutMs;
  }
}
