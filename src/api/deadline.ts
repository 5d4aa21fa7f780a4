import type { Clock } from '../world.js';

/** For what is done besides asking: 2 × `requestTimeout` + 5 s are promised for the whole command. */
const BESIDES_MS = 2000;

/** By when a command that only reads has its answers about one host, whatever hangs there. */
export class Deadline {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #at: number;

  constructor(clock: Pick<Clock, 'monotonic'>, requestTimeoutMs: number) {
    this.#clock = clock;
    this.#at = clock.monotonic() + 2 * requestTimeoutMs + BESIDES_MS;
  }

  get leftMs(): number {
    return Math.max(0, this.#at - this.#clock.monotonic());
  }
}
