import type { PveTask } from '../../api/pve.js';
import { block, type Check, pass, skip } from '../check.js';

interface Seen {
  readonly status: string;
  readonly qmpStatus: string | null;
  readonly lock: string | null;
  readonly tasks: readonly PveTask[];
  readonly node: string;
}

/** Tasks of the VM that do no harm: a change of its options, an open console. */
const HARMLESS = new Set(['qmconfig', 'vncproxy', 'spiceproxy']);

/** Is the VM of this host running, unlocked, and left alone by migration, snapshot, backup and power tasks? */
export const guestVm: Check<Seen | null> = {
  id: 'guest.vm',
  async look({ guestCluster, target }) {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const { pve } = guestCluster;
    const [{ status, qmpStatus, lock }, tasks, guest] = await Promise.all([
      pve.guestStatus(vmid),
      pve.clusterTasks(),
      pve.findGuest(vmid),
    ]);
    const own = tasks.filter(
      ({ endedAt, id, type }) => endedAt === null && id === String(vmid) && !HARMLESS.has(type),
    );
    return { status, qmpStatus, lock, tasks: own, node: guest?.node ?? '?' };
  },
  judge(seen) {
    if (!seen) return skip('the config names no guest');
    const { status, qmpStatus, lock, tasks, node } = seen;
    if (status !== 'running') return block(`the VM is ${status}`);
    if (qmpStatus !== null && qmpStatus !== 'running')
      return block(`the VM is running, but its machine is ${qmpStatus}`);
    if (lock) return block(`the VM is locked (${lock})`);
    if (tasks.length > 0)
      return block(
        tasks.map(({ type, node: where }) => `${type} of the VM is running on ${where}`).join('; '),
      );
    return pass(`running on ${node}`);
  },
};
