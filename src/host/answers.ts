import type { Contents } from '../api/contents.js';
import type { Target } from '../config/target.js';
import { Fault } from '../fault.js';
import type { Survey } from '../guest/survey.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import type { Clock, World } from '../world.js';
import { AnswerCache, type PbsAnswers, type PveAnswers } from './answer-cache.js';
import type { OtherHost } from './other-hosts.js';
import type { ScheduleCache } from './schedule-cache.js';

/** A cluster as a round of checks sees it. */
export type ClusterAnswers = Omit<ClusterAccess, 'pve' | 'lock'> & { readonly pve: PveAnswers };

/** What one round of checks may look at. Nothing is requested twice, and nothing can be changed from here. */
export interface Answers {
  readonly target: Target;
  readonly pbs: PbsAnswers;
  /** What is in its datastores; asked anew each time. */
  readonly contents: Contents;
  /** The clusters served and the guest's own, in alphabetical order. */
  readonly clusters: readonly ClusterAnswers[];
  /** The cluster of the guest; null when the config names no guest. */
  readonly guestCluster: ClusterAnswers | null;
  /** One read-only look from inside the guest. @throws Fault `agent.*` when the agent cannot do it */
  survey(): Promise<Survey>;
  /** Fingerprint that the PBS in the guest serves at the guest's own loopback address; null where that is not known. */
  servedInGuest(): Promise<string | null>;
  /** Fingerprint that the endpoint serves; null where only one of those that the config pins is accepted. */
  served(): Promise<string | null>;
  /** Addresses of a name as they resolve here; none where it does not, or not in time. */
  readonly addressesOf: World['addressesOf'];
  /** Wall clock of the controller when the round began, epoch seconds. */
  readonly now: number;
  readonly clock: Clock;
  /** What the other hosts of the config sync with which remotes. */
  otherHosts(): Promise<readonly OtherHost[]>;
  /** True for a run that still has its fence to lift, by a journal here. */
  accountsFor(run: string): boolean;
  /** The run that asks, null for a preflight: its own lock, fence and tasks do not block it. */
  readonly ownRun: string | null;
  /** When schedules run, kept over the rounds of a run. */
  readonly schedules: ScheduleCache;
  /** What is known for a minute. */
  readonly cache: AnswerCache;
}

/** What a round of questions is put to. */
export interface Asked
  extends Pick<
    Answers,
    | 'target'
    | 'clock'
    | 'ownRun'
    | 'accountsFor'
    | 'otherHosts'
    | 'schedules'
    | 'survey'
    | 'servedInGuest'
    | 'served'
    | 'addressesOf'
  > {
  readonly pbs: Parameters<AnswerCache['pbs']>[0];
  readonly clusters: readonly ClusterAccess[];
}

/** @param cache of the rounds before, if these were a moment ago */
export function answers(asked: Asked, cache = new AnswerCache(asked.clock)): Answers {
  const clusters = asked.clusters.map(({ name, config, lockVmid, pve }) => ({
    name,
    config,
    lockVmid,
    pve: cache.pve(name, pve),
  }));
  const { guest } = asked.target;
  const guestCluster = clusters.find(({ name }) => name === guest?.cluster) ?? null;
  const names = new Map<string, Promise<readonly string[]>>();
  const inTime = (name: string) => {
    const late = new Promise<readonly string[]>((resolve) => {
      const limit = asked.clock.timeout(asked.target.policy.requestTimeout);
      limit.addEventListener('abort', () => resolve([]), { once: true });
    });
    return Promise.race([asked.addressesOf(name), late]);
  };
  let survey: Promise<Survey> | undefined;
  return {
    ...asked,
    pbs: cache.pbs(asked.pbs),
    contents: asked.pbs.contents,
    clusters,
    guestCluster,
    now: Math.floor(asked.clock.now() / 1000),
    survey: () => {
      survey ??= cache.lasting('survey', async () => {
        if (guestCluster && guest && (await guestCluster.pve.findGuest(guest.vmid))?.type === 'lxc')
          throw new InContainer(guest.vmid);
        return asked.survey();
      });
      return survey;
    },
    served: () => cache.lasting('served', asked.served),
    addressesOf: (name) => {
      const found = names.get(name) ?? cache.lasting(`addresses of ${name}`, () => inTime(name));
      names.set(name, found);
      return found;
    },
    cache,
  };
}

/** The guest of the config is a container: nothing can be run in it through PVE. */
export class InContainer extends Fault {
  constructor(vmid: number) {
    super('guest.container', `Guest ${vmid} is a container, which has no guest agent.`, {
      hint: 'Take "guest" out of the config of this host, and set "upgrade" to {"via": "service", "unit": "pbs-ctl-upgrade.service"}. This prints the unit and its script, to be put into the container:\npbs-ctl init --unit',
    });
  }
}

/** What was answered; null where nothing was. */
export const answerOf = <Value>(settled: PromiseSettledResult<Value>): Value | null =>
  settled.status === 'fulfilled' ? settled.value : null;
