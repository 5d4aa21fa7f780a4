import type { Pbs } from '../api/pbs.js';
import type { Pve } from '../api/pve.js';
import type { Clock } from '../world.js';

/**
 * For how long an answer stands: within one round of checks, or also in the rounds of the next minute; `wait`: in
 * those of the next minute only while a run waits and asks every few seconds.
 */
type Age = 'round' | 'minute' | 'wait';

/**
 * What checks may ask of PBS. Each answer is requested once a round. Nothing that a run must not overlook is a
 * minute old: tasks, operations, maintenance modes, PVE's packages, tags, HA, guests, quorum and the list of
 * backup jobs are requested in each round.
 */
export const PBS_READS = {
  version: 'minute',
  // Beside the clock: together they say when it booted.
  nodeStatus: 'round',
  daemonAnswers: 'minute',
  datastoreConfigs: 'minute',
  jobs: 'minute',
  time: 'round',
  datastores: 'round',
  datastoreUsage: 'round',
  inUse: 'round',
  runningTasks: 'round',
  recentTasks: 'round',
  updates: 'round',
  packages: 'round',
  repositories: 'round',
  services: 'round',
  zfsPools: 'minute',
  listedPermissions: 'round',
  permissions: 'round',
  tokenFacts: 'minute',
} as const satisfies Partial<Record<keyof Pbs, Age>>;

/** The same of PVE. */
export const PVE_READS = {
  version: 'minute',
  nodeStatus: 'minute',
  nodeTime: 'minute',
  storages: 'minute',
  storageActive: 'round',
  vzdumpStorage: 'minute',
  clusterStatus: 'round',
  nodesOverview: 'round',
  clusterTasks: 'round',
  nodeTasksFinished: 'round',
  taskLogHead: 'round',
  // Costs a node the reading of its package lists.
  nodePackages: 'wait',
  haManager: 'round',
  clusterOptions: 'round',
  backupJobs: 'round',
  jobGuests: 'round',
  scheduleRuns: 'round',
  guests: 'round',
  findGuest: 'round',
  guestConfig: 'round',
  guestConfigInUse: 'round',
  guestStatus: 'round',
  listedPermissions: 'round',
  permissions: 'round',
  tokenFacts: 'minute',
} as const satisfies Partial<Record<keyof Pve, Age>>;

/** One round of questions. Reads only: a second identical write would be taken for the first. */
export type PbsAnswers = Pick<Pbs, keyof typeof PBS_READS>;
export type PveAnswers = Pick<Pve, keyof typeof PVE_READS> & { readonly agent: Pick<Pve['agent'], 'info'> };

/** The lock is taken between preflight and recheck, which lie seconds apart. */
const MINUTE_MS = 60_000;

/** What is known for a minute: answers, and verdicts that rest on nothing else. */
export class AnswerCache {
  readonly #clock: Clock;
  readonly #wall: number;
  readonly #begun: number;
  readonly #lasting: ReadonlySet<Age>;
  readonly #known = new Map<string, Promise<unknown>>();

  /** @param during `wait` for the rounds of a wait */
  constructor(clock: Clock, during: 'run' | 'wait' = 'run') {
    this.#clock = clock;
    this.#lasting = new Set(during === 'wait' ? ['minute', 'wait'] : ['minute']);
    this.#wall = clock.now();
    this.#begun = clock.monotonic();
  }

  /**
   * The answer that is known, or the one that `ask` gets. What failed is requested again.
   * @param mayLast false for an answer that the next round has to get anew
   */
  lasting<Answer>(
    id: string,
    ask: () => Promise<Answer>,
    mayLast: (answer: Answer) => boolean = () => true,
  ): Promise<Answer> {
    const known = this.#isFresh() ? this.#known.get(id) : undefined;
    if (known) return known as Promise<Answer>;
    const asked = ask();
    asked.then(
      (answer) => mayLast(answer) && this.#known.set(id, asked),
      () => {},
    );
    return asked;
  }

  /** A round of questions to a PBS. */
  pbs(client: Pbs): PbsAnswers {
    return this.#round('PBS', client, PBS_READS);
  }

  /** A round of questions to a PVE cluster. */
  pve(cluster: string, client: Pve): PveAnswers {
    return {
      ...this.#round(`PVE ${cluster}`, client, PVE_READS),
      agent: this.#round(`agents of ${cluster}`, client.agent, { info: 'round' }),
    };
  }

  #round<Client, Read extends keyof Client & string>(
    whose: string,
    client: Client,
    reads: Readonly<Record<Read, Age>>,
  ): Pick<Client, Read> {
    const answers = new Map<string, Promise<unknown>>();
    const remembering = ([name, age]: [string, Age]) => {
      const read = (...parameters: unknown[]) => {
        const id = `${whose} ${name} ${JSON.stringify(parameters)}`;
        const ask = (): Promise<unknown> =>
          Reflect.apply(client[name as Read] as () => Promise<unknown>, client, parameters);
        const answer = answers.get(id) ?? (this.#lasting.has(age) ? this.lasting(id, ask) : ask());
        answers.set(id, answer);
        return answer;
      };
      return [name, read];
    };
    return Object.fromEntries(Object.entries<Age>(reads).map(remembering)) as Pick<Client, Read>;
  }

  /** By either clock: the monotonic one stands still while a machine sleeps, the other may be set. */
  #isFresh(): boolean {
    const passed = this.#clock.now() - this.#wall;
    return passed >= 0 && passed < MINUTE_MS && this.#clock.monotonic() - this.#begun < MINUTE_MS;
  }
}
