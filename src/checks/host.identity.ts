import { bareFingerprint } from '../api/certificate.js';
import type { Fix } from '../fault.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';
import { isoFromSeconds } from '../moment.js';
import { ALWAYS } from '../rules/rounds.js';
import { block, check, type Judgement, pass, warn } from './check.js';

interface Seen {
  /** What the PBS at the endpoint says of itself. */
  readonly bootTime: number;
  readonly told: string | null;
  /** What the guest says; null where the config names none. */
  readonly guest: {
    readonly certificate: string | null;
    readonly bootTime: number;
    readonly hasPbs: boolean;
    /** What the PBS in it serves; null where that is not known, or did not have to be. */
    readonly served: string | null;
  } | null;
  /** Packages that only a PVE node has. */
  readonly pvePackages: readonly string[];
  /** The node of a cluster of the config whose address is that of the endpoint. */
  readonly node: string | null;
  /** Enabled storages of PVE that pin a certificate. */
  readonly pins: ReadonlyArray<{
    readonly cluster: string;
    readonly storage: string;
    readonly fingerprint: string;
  }>;
}

const PBS_PACKAGE = 'proxmox-backup-server';
const PVE_PACKAGES = ['pve-manager', 'proxmox-ve', 'pve-cluster', 'qemu-server'];

/**
 * Are the machine at the endpoint and the VM of the config one, and is it a PBS only? The certificate in the file of
 * the guest has to be the one that the PBS reports of itself. A clone has the same, so the time of the boot counts too.
 */
export const hostIdentity = check({
  id: 'host.identity',
  rules: { rounds: ALWAYS },
  async look(answers): Promise<Seen> {
    const { pbs, target, clusters } = answers;
    // Clock and uptime in the same moment: of two moments the boot would be off.
    const [{ uptimeSeconds, fingerprint: told }, { epochSeconds }, survey, storages] = await Promise.all([
      pbs.nodeStatus(),
      pbs.time(),
      target.guest ? answers.survey() : null,
      Promise.all(clusters.map(pinsOf)),
    ]);
    const pins = storages.flat();
    const { pvePackages, node } = survey
      ? { pvePackages: PVE_PACKAGES.filter((name) => survey.installedPackages.has(name)), node: null }
      : await asNode(answers);
    const configured = target.config.tls.fingerprints ?? [];
    const own = new Set([told ?? '', ...configured].map(bareFingerprint));
    const mayChange =
      told !== null &&
      ((configured.length > 0 && !configured.some(isSame(told))) ||
        pins.some(({ fingerprint }) => own.has(bareFingerprint(fingerprint)) && !isSame(told)(fingerprint)));
    return {
      bootTime: epochSeconds - uptimeSeconds,
      told,
      guest: survey && {
        certificate: survey.certificate,
        bootTime: survey.bootTime,
        hasPbs: survey.installedPackages.has(PBS_PACKAGE),
        served: mayChange ? await answers.servedInGuest() : null,
      },
      pvePackages,
      node,
      pins,
    };
  },
  judge(seen, { target }) {
    const { told, guest, pvePackages, node, bootTime } = seen;
    const { host, config, policy } = target;
    const tolerated = policy.maxClockSkew / 1000 + 1;
    if (pvePackages.length > 0 || node !== null) {
      const why =
        node === null ? `${pvePackages.join(', ')} installed` : `its address is that of node ${node}`;
      return {
        ...block(`${host} is a PVE node (${why}): its reboot would take down every guest on it`, {
          hint: 'pbs-ctl patches machines that are a PBS only. Patch this one as a node of its cluster, or move the PBS into a VM.',
        }),
      };
    }
    const place = new URL(config.endpoint).host;
    if (!guest) return pass(`no sign that ${place} is a PVE node; without a guest nothing else is compared`);
    const vm = `VM ${target.guest?.vmid}`;
    const contradictions = [
      ...(guest.hasPbs ? [] : [`${PBS_PACKAGE} is not installed in ${vm}`]),
      ...(told === null || guest.certificate === null || isSame(told)(guest.certificate)
        ? []
        : [
            `the certificate in ${vm} is ${short(guest.certificate)}, the PBS reports ${short(told)} as its own`,
          ]),
      ...(Math.abs(guest.bootTime - bootTime) <= tolerated
        ? []
        : [
            `${vm} booted at ${isoFromSeconds(Math.floor(guest.bootTime))}, the PBS at ${isoFromSeconds(bootTime)}`,
          ]),
    ];
    const detail = {
      told,
      certificate: guest.certificate,
      bootTime: isoFromSeconds(bootTime),
      guestBootTime: isoFromSeconds(Math.floor(guest.bootTime)),
    };
    if (contradictions.length > 0) {
      return {
        ...block(`${vm} is not the PBS that answers at ${place}: ${contradictions.join('; ')}`, {
          ...detail,
          hint: `Set hosts.${host}.guest to the VM of this PBS, or its endpoint. Compare what the first command lists with what the others print inside the VM.`,
        }),
        fixes: [
          {
            where: `a node of ${target.guest?.cluster}`,
            commands: ['pvesh get /cluster/resources --type vm'],
          },
          { where: `in the VM of ${host}`, commands: ['proxmox-backup-manager cert info', 'uptime --since'] },
        ],
      };
    }
    const unknown = [
      ...(told === null ? ['the PBS reports no fingerprint'] : []),
      ...(guest.certificate === null ? [`${vm} has no certificate file`] : []),
    ];
    return (
      ofChange(seen, config.tls.fingerprints ?? [], { vm, host }) ??
      (unknown.length > 0
        ? warn(`${vm} by package and boot time alone: ${unknown.join('; ')}`, detail)
        : pass(`${vm} is the PBS at ${place}, by certificate, boot time and package`, detail))
    );
  },
});

/**
 * The certificate that a new start of the proxy will serve is not the one of now. Null where nothing is known to
 * change.
 */
function ofChange(
  { told, guest, pins }: Seen,
  configured: readonly string[],
  { vm, host }: { vm: string; host: string },
): Judgement | null {
  if (told === null || !guest) return null;
  const { served } = guest;
  const isPinned = configured.length === 0 || configured.some(isSame(told));
  const isOld = served !== null && !isSame(told)(served);
  const pinnedByPve = isOld ? pins.filter(({ fingerprint }) => isSame(served)(fingerprint)) : [];
  const isOurs = isOld && configured.some(isSame(served));
  if (isOld && ((!isPinned && isOurs) || pinnedByPve.length > 0)) {
    const storages = pinnedByPve.map(({ storage }) => storage).join(', ');
    const fixes: Fix[] = [
      ...(isPinned
        ? []
        : [
            {
              where: 'controller',
              commands: [`# add to hosts.${host}.tls.fingerprints in the config: "${told.toUpperCase()}"`],
            },
          ]),
      { where: host, commands: ['systemctl reload proxmox-backup-proxy.service'] },
      ...pinnedByPve.map(({ cluster, storage }) => ({
        where: `a node of ${cluster}`,
        commands: [`pvesm set ${storage} --fingerprint ${told.toLowerCase()}`],
      })),
    ];
    return {
      ...block(
        `the proxy still serves the certificate ${short(served)}; from its next start on it serves the renewed one, ${short(told)}, which ${[
          ...(isPinned ? [] : ['the config does not pin']),
          ...(storages === '' ? [] : [`storage ${storages} of PVE does not pin`]),
        ].join(' and ')}`,
        { told, served, hint: 'Pin the new certificate and reload the proxy now, then run again.' },
      ),
      fixes,
    };
  }
  if (isPinned) return null;
  const why =
    served === null
      ? `what the PBS in ${vm} serves itself could not be seen`
      : `a proxy stands before the PBS, or the certificate changes`;
  return warn(
    `the PBS reports the certificate ${short(told)}, the config pins ${configured.map(short).join(', ')}: ${why}`,
    { told, served, pinned: configured },
  );
}

/** What there is to see without a guest. */
async function asNode({ pbs, clusters, target, addressesOf }: Answers) {
  const [updates, packages, own, others, members] = await Promise.all([
    pbs.updates(),
    pbs.packages(),
    addressesOf(hostnameOf(target.config.endpoint)),
    Promise.all(target.others.map(({ config }) => addressesOf(hostnameOf(config.endpoint)))),
    Promise.all(clusters.map(async ({ pve }) => (await pve.clusterStatus()).nodes)),
  ]);
  const installed = new Set(
    [...updates, ...packages].flatMap(({ name, installed }) => (installed ? [name] : [])),
  );
  const nodes = members.flat();
  const shares = (address: string) =>
    nodes.filter((node) => node.address === address).length +
    others.filter((all) => all.includes(address)).length;
  // An address that several machines share says nothing of any.
  const node = nodes.find(
    ({ address }) => address !== null && own.includes(address) && shares(address) === 1,
  );
  return { pvePackages: PVE_PACKAGES.filter((name) => installed.has(name)), node: node?.name ?? null };
}

async function pinsOf({ name: cluster, pve }: ClusterAnswers) {
  const storages = await pve.storages();
  return storages.flatMap(({ storage, type, disabled, fingerprint }) =>
    type === 'pbs' && !disabled && fingerprint !== null ? [{ cluster, storage, fingerprint }] : [],
  );
}

const isSame = (one: string) => (other: string) => bareFingerprint(one) === bareFingerprint(other);
/** Enough of it to compare by eye; `detail` has it whole. */
const short = (fingerprint: string) => `${fingerprint.toUpperCase().slice(0, 11)}…`;
const hostnameOf = (endpoint: string) => new URL(endpoint).hostname.replace(/^\[|\]$/g, '');
