import { lookAtCertificate } from '../api/certificate.js';
import { connectPbs, connectPve, type ServerOptions } from '../api/connect.js';
import { Deadline } from '../api/deadline.js';
import type { Pbs } from '../api/pbs.js';
import { readTrust } from '../api/trust.js';
import type { Config } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { lockGuest, stateDirOf, type Target } from '../config/target.js';
import { EXIT, Fault } from '../fault.js';
import type { Guest } from '../guest/exec.js';
import { servedInGuest } from '../guest/served.js';
import { takeSurvey } from '../guest/survey.js';
import { accountsFor } from '../journal/runs.js';
import { type ClusterAccess, clusterLock } from '../lock/cluster-lock.js';
import type { World } from '../world.js';
import type { AnswerCache } from './answer-cache.js';
import { type Answers, answers } from './answers.js';
import { askOtherHosts } from './other-hosts.js';
import { ScheduleCache } from './schedule-cache.js';

/** A host with everything that reaches it: its PBS, the clusters it serves, its guest. */
export interface Host {
  readonly target: Target;
  readonly pbs: Pbs;
  readonly clusters: readonly ClusterAccess[];
  readonly guestCluster: ClusterAccess | null;
  /** The VM that is this PBS; null where the config names none. */
  readonly guest: Guest | null;
  /** A fresh round of questions. @param cache of the rounds before, if these were a moment ago */
  answers(ownRun: string | null, cache?: AnswerCache): Answers;
  close(): Promise<void>;
}

/**
 * Opens no connection yet.
 * @param deadline of a command that only reads, see {@link deadlineFor}
 * @throws Fault `config.secret` for a secret that cannot be had
 */
export async function openHost(
  config: Config,
  target: Target,
  world: World,
  deadline?: Deadline,
): Promise<Host> {
  const { clock } = world;
  const { policy } = target;
  const clusters = await Promise.all(
    target.clusters.map((name) =>
      openCluster(config, name, world, { policy, ...(deadline ? { deadline } : {}) }),
    ),
  );
  const pbs = await openPbs(target, world, deadline ? { deadline } : {});
  const guestCluster = clusters.find(({ name }) => name === target.guest?.cluster) ?? null;
  const guest =
    guestCluster && target.guest
      ? { pve: guestCluster.pve, vmid: target.guest.vmid, clock, ...(deadline ? { deadline } : {}) }
      : null;
  const schedules = new ScheduleCache();
  return {
    target,
    pbs,
    clusters,
    guestCluster,
    guest,
    answers: (ownRun, cache) =>
      answers(
        {
          target,
          pbs,
          clusters,
          clock,
          ownRun,
          schedules,
          survey: async () => takeSurvey(requireGuest({ guest, target })),
          servedInGuest: async () => (guest ? servedInGuest(guest) : null),
          served: async () => {
            const { endpoint, tls } = target.config;
            if (tls.fingerprints) return null;
            const connectTimeoutMs = target.policy.requestTimeout;
            return (await lookAtCertificate(endpoint, { tls, env: world.env, connectTimeoutMs })).fingerprint;
          },
          addressesOf: world.addressesOf,
          otherHosts: () =>
            askOtherHosts(config, target, world, (other) => openPbs(other, world, { connections: 3 })),
          accountsFor: (run) => accountsFor(stateDirOf(config, world.env), run, ownRun),
        },
        cache,
      ),
    close: async () => {
      await Promise.all([pbs.close(), ...clusters.map(({ pve }) => pve.close())]);
    },
  };
}

/** By when a command that only reads has to be done with a host, or with a cluster, from now on. */
export const deadlineFor = ({ policy }: Pick<Config, 'policy'>, { clock }: Pick<World, 'clock'>): Deadline =>
  new Deadline(clock, policy.requestTimeout);

/**
 * Connections that are kept to a server at once: as many as a round of checks has questions that need no
 * other answer first. More would cost handshakes, each of which takes longer than an answer.
 */
export const CONNECTIONS = 12;

/** The PBS of a host. */
export async function openPbs(
  target: Target,
  world: World,
  { connections = CONNECTIONS, deadline }: Pick<ServerOptions, 'connections' | 'deadline'> = {},
): Promise<Pbs> {
  return connectPbs({
    name: target.host,
    endpoints: [target.config.endpoint],
    tokenId: target.config.token,
    secret: await readSecret(target.config.secret, world),
    tls: target.config.tls,
    requestTimeoutMs: target.policy.requestTimeout,
    world,
    connections,
    ...(deadline ? { deadline } : {}),
    ...traced(world),
  });
}

/** One cluster of the config. @param limits the policy and deadline of a host, else the top-level policy holds */
export async function openCluster(
  config: Config,
  name: string,
  world: World,
  {
    policy = config.policy,
    deadline,
  }: Partial<Pick<Target, 'policy'>> & { readonly deadline?: Deadline } = {},
): Promise<ClusterAccess> {
  const cluster = config.clusters[name];
  if (!cluster)
    throw new Fault('config.unknown-cluster', `The config has no cluster "${name}".`, { exitCode: 2 });
  const { requestTimeout } = policy;
  const pve = connectPve({
    name,
    endpoints: cluster.endpoints,
    tokenId: cluster.token,
    secret: await readSecret(cluster.secret, world),
    tls: cluster.tls,
    requestTimeoutMs: requestTimeout,
    world,
    connections: CONNECTIONS,
    ...(deadline ? { deadline } : {}),
    ...traced(world),
  });
  const lockVmid = cluster.lock.store === 'guest-tag' ? lockGuest(config, name) : null;
  const access = { name, config: cluster, lockVmid, pve };
  return { ...access, lock: clusterLock(access, world, requestTimeout) };
}

/**
 * Reads the secrets and CA files of these hosts and of the clusters that they need. For before the first of
 * them is contacted: an error of the config must not come to light when others have been patched already.
 * @throws Fault `config.secret`, `config.ca-file` (exit 2)
 */
export async function readReferences(
  { clusters }: Config,
  targets: readonly Target[],
  world: World,
): Promise<void> {
  const names = new Set(targets.flatMap((target) => target.clusters));
  const servers = [
    ...targets.map(({ config }) => config),
    ...[...names].flatMap((name) => clusters[name] ?? []),
  ];
  for (const { secret, tls } of servers) {
    await readSecret(secret, world);
    readTrust({ tls, env: world.env });
  }
}

/** `--verbose`: method, path, status and time of each request; no parameters, since those can be secret. */
function traced({ trace }: World): Pick<ServerOptions, 'onRequest'> {
  if (!trace) return {};
  return {
    onRequest: ({ endpoint, method, path, status, durationMs }) =>
      trace(`  ${method} ${endpoint}${path} ${status ?? 'no answer'} ${Math.round(durationMs)} ms`),
  };
}

/** The guest of a host. @throws Fault `guest.none` where the config names none */
export function requireGuest({ guest, target: { host } }: Pick<Host, 'guest' | 'target'>): Guest {
  if (guest) return guest;
  throw new Fault('guest.none', `The config names no guest for host "${host}".`, {
    hint: `Set hosts.${host}.guest.`,
    exitCode: EXIT.usage,
  });
}
