import { everythingHeld, pveToken, userTagAccess } from '../api/account.js';
import { grantOnPve } from '../api/grants.js';
import { heldOn, type Need, neededOnPve, unmet } from '../api/needed-privileges.js';
import type { Pve } from '../api/pve.js';
import type { Target } from '../config/target.js';
import { openCluster } from '../host/open.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import type { World } from '../world.js';
import { examineSecret, examineServer } from './connect.js';
import type { Here } from './controller.js';
import { about, type Diagnosis, failed } from './diagnosis.js';
import { judgePower, judgePrivileges } from './doctor-privileges.js';
import { allowedOnPve, excessOf } from './excess.js';
import { judgeAnchor } from './lock-carrier.js';
import { judgeToken, refusedToken } from './token.js';

export interface Examined {
  readonly diagnoses: readonly Diagnosis[];
  /** Its token is accepted, so that more can be asked. */
  readonly usable: boolean;
}

/** A cluster of the config, as far as the hosts that are looked at need it. */
export async function examineCluster(
  name: string,
  here: Here,
  targets: readonly Target[],
  world: World,
): Promise<Examined> {
  const { config, path } = here;
  const subject = `cluster ${name}`;
  const cluster = config.clusters[name];
  if (!cluster) return { diagnoses: [about(subject, 'config').block('not in the config')], usable: false };
  const place = { path, place: `.clusters["${name}"].tls.fingerprints` };
  const servers = await Promise.all(
    cluster.endpoints.map((address) =>
      examineServer(
        address,
        { subject, product: 'pve', where: new URL(address).hostname, tls: cluster.tls, config: place },
        world,
      ),
    ),
  );
  const secret = await examineSecret(subject, cluster.secret, world);
  const found = [...servers, ...(secret ? [secret] : [])];
  if (secret || servers.every(({ status }) => status === 'block')) return { diagnoses: found, usable: false };
  const access = await openCluster(config, name, world);
  try {
    const { diagnoses, usable } = await examineToken(access, here, targets, world);
    return { diagnoses: [...found, ...diagnoses], usable };
  } finally {
    await access.pve.close();
  }
}

async function examineToken(
  access: ClusterAccess,
  { path, config: { hosts } }: Here,
  targets: readonly Target[],
  world: World,
): Promise<Examined> {
  const { name, config, lockVmid, pve } = access;
  const { token } = config;
  const subject = `cluster ${name}`;
  const where = `a node of ${name}`;
  const known = { subject, product: 'pve', token, where } as const;
  let version: Awaited<ReturnType<Pve['version']>>;
  try {
    version = await pve.version();
  } catch (error) {
    return { diagnoses: [refusedToken(known, error)], usable: false };
  }
  const answers = await pve.look(pveToken(token)).catch(() => null);
  const guests = targets.flatMap(({ guest }) => (guest?.cluster === name ? [guest.vmid] : []));
  const vmids = [...new Set([...guests, ...(lockVmid === null ? [] : [lockVmid])])];
  const registeredTags = config.lock.store === 'registered-tag';
  const grants = [{ where, commands: grantOnPve({ token, major: version.major, vmids, registeredTags }) }];
  const diagnoses = await Promise.all([
    judgeToken({ ...known, version: version.version, answers, now: world.clock.now() }),
    guarded(subject, 'privileges', async () => {
      const needs = uniqueNeeds(
        (guests.length > 0 ? guests : [null]).flatMap((guest) =>
          neededOnPve(token, version.major, { guest, carrier: lockVmid, registeredTags }),
        ),
      );
      const lacking = unmet(needs, await heldOn(pve, needs));
      return judgePrivileges(subject, needs.length, lacking, grants);
    }),
    guarded(subject, 'power', async () => {
      // Also those of hosts that are not looked at now: the token is the same.
      const everyGuest = Object.values(hosts).flatMap(({ guest }) =>
        guest?.cluster === name ? [guest.vmid] : [],
      );
      const allowed = allowedOnPve([...vmids, ...everyGuest], registeredTags);
      const excess = excessOf(await pve.look(everythingHeld), allowed);
      return judgePower(
        subject,
        excess,
        answers?.separated ?? true,
        lessPower(known, answers?.separated ?? true, grants),
      );
    }),
    guarded(subject, 'lock', () => examineAnchor(access, path)),
  ]);
  return { diagnoses, usable: true };
}

/** Taking the separation of privileges on leaves the token without any, so the grants follow. */
function lessPower(
  { token, where }: { token: string; where: string },
  separated: boolean,
  grants: readonly { where: string; commands: readonly string[] }[],
) {
  const [user = '', name = ''] = token.split('!');
  const mend = separated
    ? [
        `pveum user token permissions ${user} ${name}`,
        `pveum acl list | grep -e ${user}`,
        `pveum acl delete PATH -token '${token}' -roles ROLE`,
      ]
    : [`pveum user token modify ${user} ${name} -privsep 1`, ...grants.flatMap(({ commands }) => commands)];
  return [{ where, commands: mend }];
}

async function examineAnchor(
  { name, config, lockVmid, pve }: ClusterAccess,
  configPath: string,
): Promise<Diagnosis> {
  const [guests, { nodes, online }, registeredTags, tagAccess, held] = await Promise.all([
    pve.guests(),
    pve.clusterStatus(),
    pve.registeredTags(),
    pve.look(userTagAccess),
    pve.permissions('/'),
  ]);
  const guest = guests.find(({ vmid }) => vmid === lockVmid) ?? null;
  const [node] = online;
  const now = node === undefined ? 0 : (await pve.nodeTime(node)).epochSeconds;
  return judgeAnchor({
    cluster: name,
    lock: config.lock,
    vmid: lockVmid,
    guest,
    nodes,
    registeredTags,
    tagAccess,
    modifiesAll: held.has('Sys.Modify'),
    now,
    configPath,
  });
}

/** A question that could not be answered is a finding, not the end of all others. */
export async function guarded(
  subject: string,
  topic: Diagnosis['topic'],
  examine: () => Promise<Diagnosis>,
): Promise<Diagnosis> {
  try {
    return await examine();
  } catch (error) {
    return failed(subject, topic, error);
  }
}

const uniqueNeeds = (needs: readonly Need[]): Need[] => [
  ...new Map(needs.map((need) => [`${need.path} ${need.anyOf.join(' ')} ${need.why}`, need])).values(),
];
