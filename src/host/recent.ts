import type { Survey } from '../guest/survey.js';
import type { Finding } from '../journal/document.js';
import type { Clock } from '../world.js';

/**
 * So long what does not change from one moment to the next is not asked for again. Milliseconds.
 * The lock is taken between preflight and recheck, which lie seconds apart.
 */
const RECENT_MS = 60_000;

/**
 * What a round of checks has learned that the next one, moments later, need not ask anew: versions, schedules,
 * clocks. Nothing of what a run must not overlook is in it: tasks, operations, maintenance modes, packages of PVE,
 * tags, HA, guests, quorum and the list of backup jobs are asked for each time.
 */
const LASTING = new Set([
  // of PBS
  'version',
  'nodeStatus',
  'daemonAnswers',
  'datastoreConfigs',
  'jobs',
  // of PVE; nodeStatus, too
  'nodeTime',
  'storages',
  'vzdumpStorage',
]);

/** Checks whose verdict holds for the same time, since all that they ask lasts. */
const SETTLED: ReadonlySet<string> = new Set([
  'pbs.access',
  'pbs.apt',
  'pve.api',
  'pve.access',
  'guest.agent',
  'guest.packages',
  'clock.skew',
]);

/** Answers and findings of a round, for as long as they are recent. */
export class Recent {
  readonly #clock: Clock;
  readonly #wall: number;
  readonly #begun: number;
  readonly #answers = new Map<string, Promise<unknown>>();
  #findings: readonly Finding[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wall = clock.now();
    this.#begun = clock.monotonic();
  }

  /** The answer that is known, or the one that `ask` gets. @param whose server, so that two are not mixed up */
  answer(whose: string, method: string, key: string, ask: () => unknown): unknown {
    return LASTING.has(method) ? this.#remembered(`${whose} ${key}`, async () => ask()) : ask();
  }

  survey(take: () => Promise<Survey>): Promise<Survey> {
    return this.#remembered('survey', take);
  }

  keep(findings: readonly Finding[]): void {
    this.#findings = findings;
  }

  /** What was found a moment ago and still holds: nothing that blocked. */
  settled(): Map<string, Finding> {
    const holding = this.#isRecent()
      ? this.#findings.filter(({ id, status }) => SETTLED.has(id) && status !== 'block')
      : [];
    return new Map(holding.map((finding) => [finding.id, finding]));
  }

  #remembered<Answer>(id: string, ask: () => Promise<Answer>): Promise<Answer> {
    const known = this.#isRecent() ? this.#answers.get(id) : undefined;
    if (known) return known as Promise<Answer>;
    const asked = ask();
    // What failed is asked for again.
    asked.then(
      () => this.#answers.set(id, asked),
      () => {},
    );
    return asked;
  }

  /** By either clock: the monotonic one stands still while a machine sleeps, the other may be set. */
  #isRecent(): boolean {
    const passed = this.#clock.now() - this.#wall;
    return passed >= 0 && passed < RECENT_MS && this.#clock.monotonic() - this.#begun < RECENT_MS;
  }
}
