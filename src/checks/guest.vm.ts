import { NoGuest } from '../api/absent.js';
import type { PveTask } from '../api/pve.js';
import { InContainer } from '../host/answers.js';
import { ALWAYS } from '../rules/rounds.js';
import { vmTroubles } from '../rules/vm-return.js';
import { block, check, type Judgement, pass, skip, warn } from './check.js';

interface Seen {
  readonly status: string;
  readonly qmpStatus: string | null;
  readonly lock: string | null;
  /** Running tasks of the VM on nodes that are online. */
  readonly tasks: ReadonlyArray<Pick<PveTask, 'type' | 'node' | 'user'>>;
  readonly node: string;
  readonly vmid: number;
  /** What keeps a reboot inside it from coming back. */
  readonly troubles: ReturnType<typeof vmTroubles>;
}

/** Harmless tasks of the VM: a change of its options, an open console. */
const HARMLESS = new Set(['qmconfig', 'vncproxy', 'spiceproxy', 'termproxy']);

/** Is the VM of this host running, unlocked, and free of migration, snapshot, backup and power tasks? */
export const guestVm = check({
  id: 'guest.vm',
  rules: { rounds: ALWAYS },
  async look({ guestCluster, target }): Promise<Seen | null> {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const { pve, name } = guestCluster;
    const guest = await pve.findGuest(vmid);
    if (!guest) throw new NoGuest(name, vmid);
    const { node } = guest;
    if (guest.type === 'lxc') throw new InContainer(vmid);
    const [{ status, qmpStatus, lock, haManaged }, config, tasks, { online }] = await Promise.all([
      pve.guestStatus(vmid),
      pve.guestConfigInUse(vmid),
      pve.clusterTasks(),
      pve.clusterStatus(),
    ]);
    const own = tasks.filter(
      (task) => task.endedAt === null && task.id === String(vmid) && online.includes(task.node),
    );
    const troubles = vmTroubles(config, vmid, haManaged);
    return { status, qmpStatus, lock, tasks: own, node, vmid, troubles };
  },
  judge(seen) {
    if (!seen) return skip('the config names no guest');
    const { status, qmpStatus, lock, node } = seen;
    if (status !== 'running') return block(`the VM is ${status}`);
    if (qmpStatus !== 'running') {
      return block(`the VM is running, but QEMU reports ${qmpStatus ?? 'in an unknown state'}`);
    }
    const tasks = seen.tasks.filter((task) => !HARMLESS.has(task.type));
    const busy = tasks.map((task) => `${task.type} of the VM is running on ${task.node}`);
    if (lock) return block([`the VM is locked (${lock})`, ...busy].join('; '));
    if (busy.length > 0) return block(busy.join('; '));
    return comesBack(seen, pass(`running on ${node}`));
  },
});

/** The judgement with what keeps a reboot from coming back, which is worse. */
function comesBack(
  { node, vmid, troubles = [] }: Pick<Seen, 'node' | 'vmid' | 'troubles'>,
  well: Judgement,
): Judgement {
  if (troubles.length === 0) return well;
  const judge = troubles.some(({ blocks }) => blocks) ? block : warn;
  const commands = troubles.flatMap(({ set }) => (set === null ? [] : [`qm set ${vmid} ${set}`]));
  const hint = 'It counts from the next start of the VM: shut it down and start it.';
  return {
    ...judge(troubles.map(({ summary }) => summary).join('; '), commands.length > 0 ? { hint } : {}),
    fixes: commands.length > 0 ? [{ where: node, commands }] : [],
  };
}

/** The same for `doctor`: is it a VM? How it is at the moment does not matter to set-up. */
export const guestSetUp = check({
  id: 'guest.vm',
  rules: { rounds: [] },
  async look({ guestCluster, target }): Promise<Pick<Seen, 'node' | 'vmid' | 'troubles'> | null> {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const guest = await guestCluster.pve.findGuest(vmid);
    if (guest?.type === 'lxc') throw new InContainer(vmid);
    if (!guest) return null;
    const { pve } = guestCluster;
    const [config, { haManaged }] = await Promise.all([pve.guestConfigInUse(vmid), pve.guestStatus(vmid)]);
    return { node: guest.node, vmid, troubles: vmTroubles(config, vmid, haManaged) };
  },
  judge: (seen) =>
    seen ? comesBack(seen, pass(`VM ${seen.vmid} is on ${seen.node}`)) : skip('see guest.agent'),
});
