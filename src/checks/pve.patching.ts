import { noNode } from '../api/absent.js';
import type { HaManager, PveGuest, PveTask } from '../api/pve.js';
import type { Policy } from '../config/schema.js';
import { compareKernels, installedKernels } from '../guest/kernels.js';
import type { PveAnswers } from '../host/answer-cache.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

interface Seen {
  readonly blockingTags: readonly string[];
  readonly guests: ReadonlyArray<Pick<PveGuest, 'vmid' | 'tags'>>;
  readonly registered: readonly string[];
  readonly tasks: ReadonlyArray<Pick<PveTask, 'type' | 'node' | 'user' | 'endedAt'>>;
  /** Names of the nodes that are online. */
  readonly online: readonly string[];
  readonly ha: HaManager;
  /** Of the nodes that are online. */
  readonly nodes: readonly SeenNode[];
  /** By the clock of a node, epoch seconds: what the HA services write is dated by it. */
  readonly nodeNow: number;
}

interface SeenNode {
  readonly name: string;
  readonly uptimeSeconds: number;
  readonly halfInstalled: readonly string[];
  /** It names no package at all, which cannot be. */
  readonly unknown?: boolean;
  /** Of pve-manager. */
  readonly version: string;
  /** The kernel that it runs, and the newest that is installed. */
  readonly kernel: string;
  readonly newestKernel: string | null;
}

const WHOLE_NODE = /^(stopall|startall|migrateall|suspendall|bulk-.*|clusterjoin|clustercreate)$/;
const SHELL = /^(vncshell|spiceshell|termshell)$/;
const SETTLED = new Set(['Installed', 'NotInstalled', 'ConfigFiles']);
const LRM_STOPPING = new Set(['shutdown', 'restart', 'disarm']);
const HA_ARMED = new Set(['armed', 'standby']);
/** A node that came up this recently may be in the middle of being patched. Seconds. */
const JUST_BOOTED = 15 * 60;
/** An LRM that has not reported for this long is dead. Seconds. */
const LRM_ALIVE = 30;

/** Is PVE itself being patched? Tags say so, and so do HA, whole-node actions, packages and uptimes. */
export const pvePatching = perCluster({
  id: 'pve.patching',
  rules: { rounds: ALSO_DRAINING },
  look: async ({ name, pve, config: { lock } }): Promise<Seen> => {
    const [guests, registered, tasks, ha, { online }] = await Promise.all([
      pve.guests(),
      pve.clusterOptions().then(({ registeredTags }) => registeredTags),
      pve.clusterTasks(),
      pve.haManager(),
      pve.clusterStatus(),
    ]);
    const [first] = online;
    if (first === undefined) throw noNode(name);
    const [nodes, { epochSeconds }] = await Promise.all([
      Promise.all(online.map((node) => lookAt(pve, node))),
      pve.nodeTime(first),
    ]);
    const { blockingTags } = lock;
    return { blockingTags, guests, registered, tasks, online, ha, nodes, nodeNow: epochSeconds };
  },
  judge: (seen, { now, target: { policy } }) => judge(seen, now, policy.mixedVersions),
});

async function lookAt(pve: PveAnswers, name: string): Promise<SeenNode> {
  const [packages, { uptimeSeconds, kernel, version }] = await Promise.all([
    pve.nodePackages(name),
    pve.nodeStatus(name),
  ]);
  const installed = packages.filter(({ state }) => state === null || state === 'Installed');
  return {
    name,
    uptimeSeconds,
    halfInstalled: packages.filter(isHalf).map((each) => each.name),
    ...(packages.length === 0 ? { unknown: true } : {}),
    version: packages.find((each) => each.name === 'pve-manager')?.installed ?? version,
    kernel,
    newestKernel: installedKernels(installed.map((each) => each.name)).at(-1) ?? null,
  };
}

const isHalf = ({ state }: { readonly state: string | null }) => state !== null && !SETTLED.has(state);

function judge(seen: Seen, now: number, mixedVersions: Policy['mixedVersions']): Judgement {
  const mixed = mixedIn(seen.nodes);
  const running = seen.tasks.filter(({ endedAt, node }) => endedAt === null && seen.online.includes(node));
  const signs = [
    ...tagSigns(seen),
    ...haSigns(seen),
    ...running
      .filter(({ type }) => WHOLE_NODE.test(type))
      .map(({ type, node }) => `${type} is running on ${node}`),
    ...seen.nodes
      .filter(({ halfInstalled }) => halfInstalled.length > 0)
      .map(
        ({ name, halfInstalled }) => `packages are half installed on ${name}: ${halfInstalled.join(', ')}`,
      ),
    ...seen.nodes.filter(({ unknown }) => unknown).map(({ name }) => `node ${name} reports no packages`),
    ...(mixed?.part === 'major' && mixedVersions === 'block' ? [mixed.line] : []),
  ];
  const young = seen.nodes.filter(({ uptimeSeconds }) => uptimeSeconds < JUST_BOOTED);
  const booted = young.map(
    ({ name, uptimeSeconds }) => `node ${name} booted ${Math.round(uptimeSeconds / 60)} minutes ago`,
  );
  if (signs.length > 0) return block([...signs, ...booted].join('; '));
  if (young.length > 0) {
    const youngest = Math.min(...young.map(({ uptimeSeconds }) => uptimeSeconds));
    return block(booted.join('; '), {}, now + Math.ceil(JUST_BOOTED - youngest));
  }
  const remarks = [
    ...running
      .filter(({ type }) => SHELL.test(type))
      .map(
        ({ node, user }) => `a shell of ${user} is open on ${node}: another administrator may be patching`,
      ),
    ...(mixed ? [mixed.line] : []),
    ...seen.nodes.filter(waitsForReboot).map(waitingLine),
  ];
  return remarks.length > 0 ? warn(remarks.join('; ')) : pass('no sign that PVE is being patched');
}

/** Whether the nodes run different versions of pve-manager, and in which part they differ. */
function mixedIn(nodes: readonly SeenNode[]): { part: 'major' | 'minor'; line: string } | null {
  const differ = (parts: number) =>
    new Set(nodes.map(({ version }) => version.split('.').slice(0, parts).join('.'))).size > 1;
  if (!differ(2)) return null;
  const versions = [...new Set(nodes.map(({ version }) => version))];
  const groups = versions.map((version, index) => {
    const names = nodes.filter((node) => node.version === version).map(({ name }) => name);
    return index > 0
      ? `${names.join(', ')} ${version}`
      : `${names.join(', ')} ${names.length === 1 ? 'runs' : 'run'} pve-manager ${version}`;
  });
  return {
    part: differ(1) ? 'major' : 'minor',
    line: `${groups.join(', ')}: the cluster is being upgraded`,
  };
}

/** A kernel that is pinned on purpose looks the same, so it is never more than a warning. */
const waitsForReboot = ({ kernel, newestKernel }: SeenNode): boolean =>
  newestKernel !== null && compareKernels(newestKernel, kernel) > 0;

const waitingLine = ({ name, kernel, newestKernel }: SeenNode) =>
  `node ${name} waits for its reboot: it runs ${kernel}, ${newestKernel} is installed`;

function tagSigns({ blockingTags, guests, registered }: Seen): string[] {
  // A cluster with case-sensitive tags keeps them as they were typed.
  const isBlocking = (tag: string) => blockingTags.includes(tag.toLowerCase());
  return [
    ...guests.flatMap(({ vmid, tags }) =>
      tags.filter(isBlocking).map((tag) => `guest ${vmid} carries the tag "${tag}"`),
    ),
    ...registered.filter(isBlocking).map((tag) => `the tag "${tag}" is registered`),
  ];
}

/** A node that is being patched may be offline right now, so its request counts whether it answers or not. */
function haSigns({ ha, online, nodeNow }: Seen): string[] {
  const nodes = new Set([
    ...online,
    ...Object.keys(ha.nodeRequest),
    ...Object.keys(ha.nodeStatus),
    ...Object.keys(ha.lrm),
  ]);
  return [
    ...[...nodes].flatMap((node) => {
      const lrm = Object.hasOwn(ha.lrm, node) ? ha.lrm[node] : undefined;
      const alive = lrm !== undefined && nodeNow - lrm.timestamp < LRM_ALIVE;
      const maintained =
        ha.nodeRequest[node]?.maintenance === true ||
        ha.nodeStatus[node] === 'maintenance' ||
        (lrm?.mode === 'maintenance' && (alive || online.includes(node)));
      if (maintained) return [`node ${node} is in HA maintenance`];
      return alive && LRM_STOPPING.has(lrm.mode)
        ? [`the HA service of node ${node} is stopping (${lrm.mode})`]
        : [];
    }),
    ...(ha.armed === null || HA_ARMED.has(ha.armed) ? [] : [`HA is ${ha.armed}`]),
  ];
}
