import { ALLOW_TAGS } from '../api/account.js';
import type { Deadline } from '../api/deadline.js';
import { grants, neededOnPbs, neededOnPve } from '../api/privileges.js';
import { type Check, runChecks } from '../checks/check.js';
import { clockSkew } from '../checks/clock.skew.js';
import { guestAgent } from '../checks/guest.agent.js';
import { guestSetUp } from '../checks/guest.vm.js';
import { hostIdentity } from '../checks/host.identity.js';
import { lockSetUp } from '../checks/lock.available.js';
import { pbsAccess } from '../checks/pbs.access.js';
import { pbsApi } from '../checks/pbs.api.js';
import { pbsApt } from '../checks/pbs.apt.js';
import { onlyAdministratorsTag, pveAccess, tagsFor } from '../checks/pve.access.js';
import { pveApi } from '../checks/pve.api.js';
import type { Config, TlsConfig } from '../config/schema.js';
import { servedBy, type Target } from '../config/target.js';
import { deadlineFor, type Host, openCluster, openHost } from '../host/open.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import { timeNeeded } from '../rules/rounds.js';
import type { World } from '../world.js';
import { examineServer } from './certificate.js';
import { type Controller, examineController, examineSecret } from './controller.js';
import { about, ofCheck, orFailed, type SetupFinding } from './finding.js';
import { examineInside } from './inside.js';
import { examineNotify } from './slack.js';
import { examineStorages } from './storages.js';
import { examineExcess, judgeToken, refusedToken } from './token.js';

/** Everything that can be wrong with the set-up of these hosts and their clusters. Changes nothing. */
export async function examine(
  controller: Controller,
  targets: readonly Target[],
  world: World,
): Promise<SetupFinding[]> {
  const names = [...new Set(targets.flatMap(({ clusters }) => clusters))].sort();
  // From now on: clusters come first, and what they take is no longer there for the hosts.
  const deadlines = new Map(targets.map((target) => [target, deadlineFor(target, world)]));
  const [local, notify, clusters] = await Promise.all([
    examineController(controller),
    examineNotify(controller, world),
    Promise.all(names.map((name) => examineCluster(name, controller, world))),
  ]);
  const usable = new Set(names.filter((_, index) => clusters[index]?.usable));
  const hosts = await Promise.all(
    targets.map((target) =>
      examineHost(target, controller, { usable, deadline: deadlines.get(target), world }),
    ),
  );
  return [...local, ...clusters.flatMap(({ findings }) => findings), ...hosts.flat(), ...notify];
}

interface Examined {
  readonly findings: readonly SetupFinding[];
  /** Its token is accepted, so more can be asked. */
  readonly usable: boolean;
}

/** The cluster itself; what a host needs from it is a check of the host. */
async function examineCluster(name: string, { config, path }: Controller, world: World): Promise<Examined> {
  const subject = `cluster ${name}`;
  const deadline = deadlineFor(config, world);
  const cluster = config.clusters[name];
  if (!cluster) return { findings: [about(subject, 'config').block('not in the config')], usable: false };
  const place = { path, place: `.clusters["${name}"].tls.fingerprints` };
  const server = (address: string, tls: TlsConfig) =>
    examineServer(
      { subject, product: 'pve', where: new URL(address).hostname, address, tls, config: place },
      world,
    );
  const [secret, ...servers] = await Promise.all([
    examineSecret(subject, cluster.secret, world),
    ...cluster.endpoints.map((address) => server(address, cluster.tls)),
  ]);
  const findings = [...servers, ...(secret ? [secret] : [])];
  if (secret || servers.every(({ status }) => status === 'block')) return { findings, usable: false };
  const access = await openCluster(config, name, world, { deadline });
  const guests = Object.values(config.hosts).flatMap(({ guest }) =>
    guest?.cluster === name ? [guest.vmid] : [],
  );
  try {
    const own = await examinePve(access, { guests, policy: config.policy }, world);
    return { findings: [...findings, ...own.findings], usable: own.usable };
  } finally {
    await access.pve.close();
  }
}

async function examinePve(
  access: ClusterAccess,
  { guests, policy }: { guests: readonly number[]; policy: Config['policy'] },
  world: World,
): Promise<Examined> {
  const { name, config, lockVmid, pve } = access;
  const { token } = config;
  const subject = `cluster ${name}`;
  const known = { subject, product: 'pve', token, where: `a node of ${name}` } as const;
  const registeredTags = config.lock.store === 'registered-tag';
  const needsOf = (major: number | null) =>
    neededOnPve(major, { guests: [...new Set(guests)], carrier: lockVmid, registeredTags });
  try {
    const { version, major } = await pve.version();
    const facts = await pve.tokenFacts(token).catch(asError);
    const needs = needsOf(major);
    const findings = await Promise.all([
      judgeToken(known, version, facts, world.clock.now(), timeNeeded('preflight', policy)),
      orFailed(subject, 'excess', () =>
        examineExcess(known, pve, {
          needs,
          separated: facts instanceof Error || facts.separated,
          all: grants('pve', token, needs, major),
        }),
      ),
      orFailed(subject, 'tags', () => examineTags(access)),
      orFailed(subject, 'pve.quorum', () => examineQuorum(access)),
    ]);
    return { findings, usable: true };
  } catch (error) {
    // Its version is not known where it refuses the token.
    return { findings: [refusedToken(known, error, grants('pve', token, needsOf(null)))], usable: false };
  }
}

/** Without quorum nothing is written, the lock neither. */
async function examineQuorum({ name, pve }: ClusterAccess): Promise<SetupFinding> {
  const { pass, block } = about(`cluster ${name}`, 'pve.quorum');
  const { quorate, nodes, online } = await pve.clusterStatus();
  if (quorate) return pass(`quorate, ${online.length} of ${nodes.length} nodes online`);
  return block('the cluster has no quorum: nothing can be written, so no lock can be taken', {
    hint: 'Bring the missing nodes back.',
    fixes: [{ where: `any node of ${name}`, commands: ['pvecm status'] }],
  });
}

/** Where is the lock tag kept, and may the token set tags? */
async function examineTags({ name, config: { lock }, lockVmid, pve }: ClusterAccess): Promise<SetupFinding> {
  const { pass, block } = about(`cluster ${name}`, 'tags');
  if (lock.store === 'registered-tag') return pass('the lock is kept in the registered tags');
  const [guests, tagAccess] = await Promise.all([pve.guests(), tagsFor(pve, lock.store)]);
  if (tagAccess !== null && tagAccess !== 'free') {
    return block(onlyAdministratorsTag(tagAccess), {
      hint: 'Or keep the lock in the registered tags: "store": "registered-tag" in the config.',
      fixes: [{ where: `a node of ${name}`, commands: [ALLOW_TAGS] }],
    });
  }
  const guest = guests.find(({ vmid }) => vmid === lockVmid);
  const called = guest?.name ? ` (${guest.name})` : '';
  return pass(`the lock is kept on guest ${lockVmid ?? 'without an id'}${called}, where tags may be set`);
}

/**
 * A PBS of the config and its VM. `usable`: clusters whose token is accepted.
 */
async function examineHost(
  target: Target,
  { config: all, path }: Controller,
  { usable, deadline, world }: { usable: ReadonlySet<string>; deadline: Deadline | undefined; world: World },
): Promise<SetupFinding[]> {
  const { host: name, config } = target;
  const subject = `host ${name}`;
  const place = { path, place: `.hosts["${name}"].tls.fingerprints` };
  const [server, secret] = await Promise.all([
    examineServer(
      { subject, product: 'pbs', where: name, address: config.endpoint, tls: config.tls, config: place },
      world,
    ),
    examineSecret(subject, config.secret, world),
  ]);
  const agent = about(subject, 'guest.agent');
  if (secret) {
    const skipped = target.guest ? [agent.skip('not checked: the secret is missing')] : [];
    return [server, secret, ...skipped];
  }
  const clusters = target.clusters.filter((each) => usable.has(each));
  const host = await openHost(all, { ...target, clusters }, world, deadline);
  try {
    const own =
      server.status === 'block' ? { findings: [], usable: false } : await examinePbs(host, subject, world);
    const seesGuest = target.guest !== null && usable.has(target.guest.cluster);
    const complete = clusters.length === target.clusters.length;
    const checks = [
      ...(own.usable ? [pbsAccess, pbsApi, pbsApt] : []),
      ...(clusters.length > 0 ? [pveApi, pveAccess, lockSetUp] : []),
      ...(seesGuest ? [guestSetUp, guestAgent] : []),
      ...(own.usable && (seesGuest || !target.guest) ? [hostIdentity] : []),
      ...(own.usable && complete ? [clockSkew] : []),
    ] as readonly Check[];
    const answers = host.answers(null);
    const [checked, inside, storages] = await Promise.all([
      runChecks(checks, answers),
      // What keeps it from being asked is what guest.agent reports.
      own.usable && seesGuest ? examineInside(subject, answers).then(one, none) : [],
      Promise.all(
        (own.usable ? answers.clusters : [])
          .filter(({ name }) => servedBy(config).includes(name))
          .map((cluster) => orFailed(subject, 'storages', () => examineStorages(subject, answers, cluster))),
      ),
    ]);
    const skipped =
      target.guest && !seesGuest ? [agent.skip(`not checked: see cluster ${target.guest.cluster}`)] : [];
    return [
      server,
      ...own.findings,
      ...checked.map((finding) => ofCheck(subject, finding)),
      ...inside,
      ...storages,
      ...skipped,
    ];
  } finally {
    await host.close();
  }
}

const one = (finding: SetupFinding) => [finding];
const none = () => [];

/** What is not known is reported with its reason. */
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

async function examinePbs({ target, pbs }: Host, subject: string, world: World): Promise<Examined> {
  const { host, config, policy, upgradeUnit } = target;
  const { token } = config;
  const known = { subject, product: 'pbs', token, where: host } as const;
  try {
    const { version, release } = await pbs.version();
    const facts = await pbs.tokenFacts(token).catch(asError);
    const findings = await Promise.all([
      judgeToken(known, `${version}.${release}`, facts, world.clock.now(), timeNeeded('preflight', policy)),
      orFailed(subject, 'excess', async () => {
        const datastores = (await pbs.datastores()).map(({ name }) => name);
        const needs = neededOnPbs(datastores, { fence: policy.fence !== 'none', unit: upgradeUnit });
        return examineExcess(known, pbs, { needs, separated: true, all: [] });
      }),
    ]);
    return { findings, usable: true };
  } catch (error) {
    return { findings: [refusedToken(known, error, [])], usable: false };
  }
}
