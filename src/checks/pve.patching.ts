import { noNode } from '../api/absent.js';
import type { HaManager, PveGuest, PveTask } from '../api/pve.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

interface Seen {
  readonly blockingTags: readonly string[];
  readonly guests: ReadonlyArray<Pick<PveGuest, 'vmid' | 'tags'>>;
  readonly registered: readonly string[];
  readonly tasks: ReadonlyArray<Pick<PveTask, 'type' | 'node' | 'user' | 'endedAt'>>;
  /** Names of the nodes that are online. */
  readonly online: readonly string[];
  readonly ha: HaManager;
  readonly packages: ReadonlyArray<readonly [node: string, halfInstalled: readonly string[]]>;
  readonly uptimes: ReadonlyArray<readonly [node: string, seconds: number]>;
  /** By the clock of a node, epoch seconds: what the HA services write is dated by it. */
  readonly nodeNow: number;
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
export const pvePatching = perCluster<Seen>({
  id: 'pve.patching',
  look: async ({ name, pve, config: { lock } }) => {
    const [guests, registered, tasks, ha, { online }] = await Promise.all([
      pve.guests(),
      pve.registeredTags(),
      pve.clusterTasks(),
      pve.haManager(),
      pve.clusterStatus(),
    ]);
    const [first] = online;
    if (first === undefined) throw noNode(name);
    const ofEach = <Answer>(ask: (node: string) => Promise<Answer>) =>
      Promise.all(online.map(async (node) => [node, await ask(node)] as const));
    const [packages, uptimes, { epochSeconds }] = await Promise.all([
      ofEach(async (node) => (await pve.nodePackages(node)).filter(isHalf).map((each) => each.name)),
      ofEach(async (node) => (await pve.nodeStatus(node)).uptimeSeconds),
      pve.nodeTime(first),
    ]);
    const { blockingTags } = lock;
    return { blockingTags, guests, registered, tasks, online, ha, packages, uptimes, nodeNow: epochSeconds };
  },
  judge: (seen, { now }) => judge(seen, now),
});

const isHalf = ({ state }: { readonly state: string | null }) => state !== null && !SETTLED.has(state);

function judge(seen: Seen, now: number): Judgement {
  const running = seen.tasks.filter(({ endedAt, node }) => endedAt === null && seen.online.includes(node));
  const signs = [
    ...tagSigns(seen),
    ...haSigns(seen),
    ...running
      .filter(({ type }) => WHOLE_NODE.test(type))
      .map(({ type, node }) => `${type} is running on ${node}`),
    ...seen.packages
      .filter(([, half]) => half.length > 0)
      .map(([node, half]) => `packages are half installed on ${node}: ${half.join(', ')}`),
  ];
  const young = seen.uptimes.filter(([, seconds]) => seconds < JUST_BOOTED);
  const booted = young.map(
    ([node, seconds]) => `node ${node} booted ${Math.round(seconds / 60)} minutes ago`,
  );
  if (signs.length > 0) return block([...signs, ...booted].join('; '));
  if (young.length > 0) {
    const youngest = Math.min(...young.map(([, seconds]) => seconds));
    return block(booted.join('; '), {}, now + Math.ceil(JUST_BOOTED - youngest));
  }
  const shells = running.filter(({ type }) => SHELL.test(type));
  if (shells.length > 0) {
    return warn(
      shells
        .map(
          ({ node, user }) => `a shell of ${user} is open on ${node}: another administrator may be patching`,
        )
        .join('; '),
    );
  }
  return pass('no sign that PVE is being patched');
}

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
      const lrm = ha.lrm[node];
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
