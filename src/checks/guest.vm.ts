import { NoGuest } from '../api/absent.js';
import type { PveTask } from '../api/pve.js';
import { InContainer } from '../host/answers.js';
import { ALWAYS } from '../rules/rounds.js';
import { block, check, pass, skip } from './check.js';

interface Seen {
  readonly status: string;
  readonly qmpStatus: string | null;
  readonly lock: string | null;
  /** Running tasks of the VM on nodes that are online. */
  readonly tasks: ReadonlyArray<Pick<PveTask, 'type' | 'node' | 'user'>>;
  readonly node: string;
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
    const [{ status, qmpStatus, lock }, tasks, { online }] = await Promise.all([
      pve.guestStatus(vmid),
      pve.clusterTasks(),
      pve.clusterStatus(),
    ]);
    const own = tasks.filter(
      (task) => task.endedAt === null && task.id === String(vmid) && online.includes(task.node),
    );
    return { status, qmpStatus, lock, tasks: own, node };
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
    return busy.length > 0 ? block(busy.join('; ')) : pass(`running on ${node}`);
  },
});

/** The same for `doctor`: is it a VM? How it is at the moment does not matter to set-up. */
export const guestSetUp = check({
  id: 'guest.vm',
  rules: { rounds: [] },
  async look({ guestCluster, target }): Promise<{ readonly node: string } | null> {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const guest = await guestCluster.pve.findGuest(vmid);
    if (guest?.type === 'lxc') throw new InContainer(vmid);
    return guest;
  },
  judge: (seen, { target: { guest } }) =>
    seen ? pass(`VM ${guest?.vmid} is on ${seen.node}`) : skip('see guest.agent'),
});
