import type { Pbs } from '../api/pbs.js';
import type { Target } from '../config/target.js';
import type { Survey } from '../guest/survey.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import type { Clock } from '../world.js';
import type { Recent } from './recent.js';
import type { ScheduleCache } from './schedule-cache.js';

/**
 * What one round of checks may look at. No answer is asked for twice: `pbs` and each `pve` here are
 * views whose reading methods remember the promise of their first call.
 */
export interface Answers {
  readonly target: Target;
  readonly pbs: Pbs;
  /** The clusters served and the guest's own, in alphabetical order. */
  readonly clusters: readonly ClusterAccess[];
  /** The cluster of the guest; null when the config names no guest. */
  readonly guestCluster: ClusterAccess | null;
  /** One read-only look from inside the guest. @throws Fault `agent.*` when the agent cannot do it */
  survey(): Promise<Survey>;
  /** Wall clock of the controller when the round began, epoch seconds. */
  readonly now: number;
  readonly clock: Clock;
  /** The run that asks, null for a preflight: its own lock, fence and tasks do not block it. */
  readonly ownRun: string | null;
  /** When schedules run, kept over the rounds of a run. */
  readonly schedules: ScheduleCache;
}

/** What may be taken over from the round before. */
interface Earlier {
  readonly whose: string;
  readonly recent: Recent | null;
}

/** A view of an API client that asks each question (method and arguments) once. */
export function remembering<Client extends object>(client: Client, earlier?: Earlier): Client {
  const answers = new Map<string, unknown>();
  return new Proxy(client, {
    get(subject, property) {
      const member = Reflect.get(subject, property, subject);
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]) => {
        const key = `${String(property)} ${JSON.stringify(parameters)}`;
        if (!answers.has(key)) {
          const ask = () => Reflect.apply(member, subject, parameters);
          answers.set(key, earlier?.recent?.answer(earlier.whose, String(property), key, ask) ?? ask());
        }
        return answers.get(key);
      };
    },
  });
}

export function answers(
  parts: Omit<Answers, 'survey' | 'now'> & { survey: () => Promise<Survey> },
  recent: Recent | null = null,
): Answers {
  const clusters = parts.clusters.map((cluster) => ({
    ...cluster,
    pve: remembering(cluster.pve, { whose: `PVE ${cluster.name}`, recent }),
  }));
  let survey: Promise<Survey> | undefined;
  return {
    ...parts,
    pbs: remembering(parts.pbs, { whose: 'PBS', recent }),
    clusters,
    guestCluster: clusters.find((cluster) => cluster.name === parts.guestCluster?.name) ?? null,
    now: Math.floor(parts.clock.now() / 1000),
    survey: () => {
      survey ??= recent ? recent.survey(parts.survey) : parts.survey();
      return survey;
    },
  };
}
