import type { Answers } from '../host/answers.js';
import type { Finding } from '../journal/document.js';
import type { RunState } from '../journal/state.js';
import type { Clock } from '../world.js';
import { compareContents } from './compare-contents.js';
import { storagesFinding } from './storages.js';

/** A look that found a difference is taken again only after a pause that is so many times as long as it took. */
const PAUSE_FACTOR = 10;

/**
 * What is in the datastores, and whether PVE reaches them, over the looks of one verification. Both cost more than
 * the rest: they are looked at once the rest is well, and what was found as before stands.
 */
export class ContentsWatch {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #folder: string | null;
  readonly #seen = new Map<string, { readonly finding: Finding; readonly until: number }>();

  /** @param folder of the run, with the lists of before */
  constructor(clock: Pick<Clock, 'monotonic'>, folder: string | null) {
    this.#clock = clock;
    this.#folder = folder;
  }

  /** @param isTime for a look: the rest is well, or there is no later one */
  async findings(answers: Answers, run: RunState | null, isTime: boolean): Promise<readonly Finding[]> {
    if (!run || (!isTime && this.#seen.size === 0)) return [];
    return [
      await this.#once('inventory', () => compareContents(answers, run, this.#folder)),
      await this.#once('storages', () => storagesFinding(answers, run.storages)),
    ];
  }

  async #once(what: string, look: () => Promise<Finding>): Promise<Finding> {
    const known = this.#seen.get(what);
    const begun = this.#clock.monotonic();
    if (known && begun < known.until) return known.finding;
    const finding = await look();
    const took = this.#clock.monotonic() - begun;
    const stands = finding.status !== 'block';
    const until = stands ? Number.POSITIVE_INFINITY : begun + took * (1 + PAUSE_FACTOR);
    this.#seen.set(what, { finding, until });
    return finding;
  }
}
