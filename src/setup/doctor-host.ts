import { everythingHeld, pbsToken } from '../api/account.js';
import { connectPbs } from '../api/connect.js';
import { grantOnPbs } from '../api/grants.js';
import { heldOn, neededOnPbs, unmet } from '../api/needed-privileges.js';
import type { Pbs } from '../api/pbs.js';
import { type Check, runChecks } from '../checks/check.js';
import { clockSkew } from '../checks/clock.skew.js';
import { guestAgent } from '../checks/guest.agent.js';
import { pbsApi } from '../checks/pbs.api.js';
import { pbsApt } from '../checks/pbs.apt.js';
import { readSecret } from '../config/secret.js';
import type { Target } from '../config/target.js';
import { openHost } from '../host/open.js';
import type { World } from '../world.js';
import { examineSecret, examineServer } from './connect.js';
import type { Here } from './controller.js';
import { about, type Diagnosis } from './diagnosis.js';
import { agentDiagnosis } from './doctor-agent.js';
import { type Examined, guarded } from './doctor-cluster.js';
import { judgePower, judgePrivileges } from './doctor-privileges.js';
import { clockDiagnosis, daemonDiagnosis, repositoryDiagnosis } from './doctor-service.js';
import { allowedOnPbs, excessOf } from './excess.js';
import { judgeToken, refusedToken } from './token.js';

/**
 * A PBS of the config and the VM that it is.
 * @param usable of each cluster, whether its token is accepted
 */
export async function examineHost(
  target: Target,
  here: Here,
  usable: ReadonlyMap<string, boolean>,
  world: World,
): Promise<Diagnosis[]> {
  const { host, config } = target;
  const subject = `host ${host}`;
  const place = { path: here.path, place: `.hosts["${host}"].tls.fingerprints` };
  const [server, secret] = await Promise.all([
    examineServer(
      config.endpoint,
      { subject, product: 'pbs', where: host, tls: config.tls, config: place },
      world,
    ),
    examineSecret(subject, config.secret, world),
  ]);
  const found = [server, ...(secret ? [secret] : [])];
  const own =
    secret || server.status === 'block'
      ? { diagnoses: [], usable: false }
      : await examineToken(target, world);
  const wanting = target.clusters.filter((cluster) => !usable.get(cluster));
  const inside = wanting.length === 0 && !secret ? await examineGuest(target, here, own.usable, world) : [];
  const agent = about(subject, 'agent');
  const skipped =
    target.guest && inside.length === 0
      ? [
          agent.skip(
            `not looked at: ${secret ? 'the secret is missing' : `see cluster ${wanting.join(', ')}`}`,
          ),
        ]
      : [];
  return [...found, ...own.diagnoses, ...inside, ...skipped];
}

async function examineToken(target: Target, world: World): Promise<Examined> {
  const { host, config, policy, upgradeUnit } = target;
  const subject = `host ${host}`;
  const { token } = config;
  const known = { subject, product: 'pbs', token, where: host } as const;
  const pbs = connectPbs({
    name: host,
    endpoints: [config.endpoint],
    tokenId: token,
    secret: await readSecret(config.secret, world),
    tls: config.tls,
    requestTimeoutMs: policy.requestTimeout,
    env: world.env,
  });
  const fence = policy.fence !== 'none';
  try {
    let version: Awaited<ReturnType<Pbs['version']>>;
    try {
      version = await pbs.version();
    } catch (error) {
      return { diagnoses: [refusedToken(known, error)], usable: false };
    }
    const answers = await pbs.look(pbsToken(token)).catch(() => null);
    const diagnoses = await Promise.all([
      judgeToken({
        ...known,
        version: `${version.version}.${version.release}`,
        answers,
        now: world.clock.now(),
      }),
      guarded(subject, 'privileges', async () => {
        const datastores = (await pbs.datastores()).map(({ name }) => name);
        const needs = neededOnPbs(token, datastores, { fence, unit: upgradeUnit });
        const lacking = unmet(needs, await heldOn(pbs, needs));
        const grants = grantOnPbs({ token, datastores, fence, unit: upgradeUnit });
        return judgePrivileges(subject, needs.length, lacking, [{ where: host, commands: grants }]);
      }),
      guarded(subject, 'power', async () => {
        const excess = excessOf(await pbs.look(everythingHeld), allowedOnPbs(upgradeUnit, fence));
        return judgePower(subject, excess, true, [{ where: host, commands: lessPower(token) }]);
      }),
    ]);
    return { diagnoses, usable: true };
  } finally {
    await pbs.close();
  }
}

/** An entry is replaced by one of the same role, so the first two mend the usual case: Admin everywhere. */
const lessPower = (token: string) => [
  `for id in '${token.split('!')[0]}' '${token}'; do proxmox-backup-manager acl update / Admin --auth-id "$id" --propagate false; done`,
  `proxmox-backup-manager user permissions '${token}'`,
  `proxmox-backup-manager acl update PATH ROLE --auth-id '${token}' --delete`,
];

/** The checks that say what is set up, whatever happens on the host just now. */
async function examineGuest(
  target: Target,
  here: Here,
  pbsUsable: boolean,
  world: World,
): Promise<Diagnosis[]> {
  const subject = `host ${target.host}`;
  const host = await openHost(here.config, target, world);
  try {
    const checks = [guestAgent, ...(pbsUsable ? [pbsApi, pbsApt, clockSkew] : [])] as readonly Check[];
    const [agent, ...others] = await runChecks(checks, host.answers(null));
    const [api, apt, clock] = others;
    const vmid = target.guest?.vmid;
    const guest = vmid === undefined ? null : ((await host.guestCluster?.pve.findGuest(vmid)) ?? null);
    return [
      ...(api ? [daemonDiagnosis(subject, target.host, api)] : []),
      ...(apt ? [repositoryDiagnosis(subject, target.host, apt)] : []),
      ...(agent && vmid !== undefined ? [agentDiagnosis(subject, vmid, guest, agent)] : []),
      ...(clock ? [clockDiagnosis(subject, clock)] : []),
    ];
  } finally {
    await host.close();
  }
}
