import type { Pve, PveGuest, PveTask } from '../../api/pve.js';
import { block, type Check, type Judgement, pass, warn, worstOf } from '../check.js';

interface Seen {
  readonly blockingTags: readonly string[];
  readonly guests: readonly PveGuest[];
  readonly registered: readonly string[];
  readonly tasks: readonly PveTask[];
  readonly online: readonly string[];
  readonly ha: Awaited<ReturnType<Pve['haManager']>>;
  readonly packages: ReadonlyArray<readonly [node: string, halfInstalled: readonly string[]]>;
  readonly uptimes: ReadonlyArray<readonly [node: string, seconds: number]>;
}

const WHOLE_NODE = /^(stopall|startall|migrateall|suspendall|bulk-.*|clusterjoin|clustercreate)$/;
const SHELL = /^(vncshell|spiceshell|termshell)$/;
const SETTLED = new Set(['Installed', 'NotInstalled', 'ConfigFiles']);
/** A node that came up this recently may be in the middle of being patched. Seconds. */
const JUST_BOOTED = 15 * 60;
/** An LRM that has not spoken for this long is dead, and its last words are old. Seconds. */
const LRM_ALIVE = 30;

/** Is PVE itself being patched? Tags say so, and so do HA, whole-node actions, packages and uptimes. */
export const pvePatching: Check<ReadonlyArray<readonly [string, Seen]>> = {
  id: 'pve.patching',
  look: ({ clusters }) =>
    Promise.all(
      clusters.map(async ({ name, pve, config }) => {
        const [guests, registered, tasks, ha, { nodes }] = await Promise.all([
          pve.guests(),
          pve.registeredTags(),
          pve.clusterTasks(),
          pve.haManager(),
          pve.clusterStatus(),
        ]);
        const online = nodes.filter((node) => node.online).map((node) => node.name);
        const [packages, uptimes] = await Promise.all([
          Promise.all(
            online.map(
              async (node) =>
                [
                  node,
                  (await pve.nodePackages(node))
                    .filter(({ state }) => state !== null && !SETTLED.has(state))
                    .map((each) => each.name),
                ] as const,
            ),
          ),
          Promise.all(
            online.map(async (node) => [node, (await pve.nodeStatus(node)).uptimeSeconds] as const),
          ),
        ]);
        return [
          name,
          {
            blockingTags: config.lock.blockingTags,
            guests,
            registered,
            tasks,
            online,
            ha,
            packages,
            uptimes,
          },
        ] as const;
      }),
    ),
  judge: (seen, { now }) =>
    worstOf(seen.map(([name, part]): [string, Judgement] => [name, judge(part, now)])),
};

function judge(
  { blockingTags, guests, registered, tasks, online, ha, packages, uptimes }: Seen,
  now: number,
): Judgement {
  const running = tasks.filter(({ endedAt, node }) => endedAt === null && online.includes(node));
  const isBlocking = (tag: string) => blockingTags.includes(tag.toLowerCase());
  const signs = [
    ...guests
      .filter(({ tags }) => tags.some(isBlocking))
      .map(({ vmid, tags }) => `guest ${vmid} carries the tag "${tags.find(isBlocking)}"`),
    ...registered.filter(isBlocking).map((tag) => `the tag "${tag}" is registered`),
    ...online.flatMap((node) => {
      const lrm = ha.lrm[node];
      const fresh = lrm !== undefined && now - lrm.timestamp < LRM_ALIVE;
      if (
        ha.nodeRequest[node]?.maintenance ||
        ha.nodeStatus[node] === 'maintenance' ||
        (fresh && lrm.mode === 'maintenance')
      )
        return [`node ${node} is in HA maintenance`];
      return fresh && ['shutdown', 'restart'].includes(lrm.mode)
        ? [`the HA service of node ${node} is stopping`]
        : [];
    }),
    ...(ha.armed !== null && !['armed', 'standby'].includes(ha.armed) ? [`HA is ${ha.armed}`] : []),
    ...running
      .filter(({ type }) => WHOLE_NODE.test(type))
      .map(({ type, node }) => `${type} is running on ${node}`),
    ...packages
      .filter(([, half]) => half.length > 0)
      .map(([node, half]) => `packages are half installed on ${node}: ${half.join(', ')}`),
    ...uptimes
      .filter(([, seconds]) => seconds < JUST_BOOTED)
      .map(([node, seconds]) => `node ${node} booted ${Math.round(seconds / 60)} minutes ago`),
  ];
  if (signs.length > 0) return block(signs.join('; '));
  const shells = running.filter(({ type }) => SHELL.test(type));
  if (shells.length > 0)
    return warn(
      shells
        .map(({ node, user }) => `a shell of ${user} is open on ${node}: somebody may be patching`)
        .join('; '),
    );
  return pass('no sign that PVE is being patched');
}
