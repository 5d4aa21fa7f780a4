import { NoGuest } from '../api/absent.js';
import { Fault } from '../fault.js';
import type { Guest } from '../guest/exec.js';
import { type Run, warning } from './run.js';

/** One look can meet a VM that is just being switched on again. */
const LOOKS = 2;

/**
 * The VM of a host that says nothing in its upgrade. Silence alone says nothing: the agent restarts, systemd is
 * upgraded. A VM that does not run is another matter, and a person has to hear of it at once.
 */
export class VmWatch {
  readonly #run: Run;
  #looks = 0;
  /** Why nothing in it continues: "VM 900 is halted (io-error)"; null while it runs, or while PVE does not say. */
  trouble: string | null = null;

  constructor(run: Run) {
    this.#run = run;
  }

  /** The host has answered. */
  answered(): void {
    if (this.trouble !== null) warning(this.#run, `${this.trouble} no more: the host answers again`);
    this.trouble = null;
    this.#looks = 0;
  }

  /** @throws Fault `upgrade.vm-stopped` for a VM that is off or gone, since nothing in it can end any more */
  async look(): Promise<void> {
    const { guest } = this.#run.host;
    if (!guest) return;
    const state = await stateOf(guest);
    if (state === null) return;
    this.#looks = state.isOver ? this.#looks + 1 : 0;
    if (state.trouble !== this.trouble) {
      this.trouble = state.trouble;
      if (state.trouble !== null) await this.#tell(state.trouble);
    }
    if (this.#looks >= LOOKS && state.trouble !== null) throw stopped(this.#run, state.trouble);
  }

  async #tell(trouble: string): Promise<void> {
    const { host, journal, alarm } = this.#run;
    const text = `${trouble} in the middle of the upgrade of ${host.target.host}`;
    warning(this.#run, text);
    const failure = await alarm?.(
      `${text} (run ${journal.runId}). To see more:\npbs-ctl recover --host ${host.target.host}`,
    );
    if (failure) warning(this.#run, failure);
  }
}

/** What is wrong with the VM, and whether what ran in it is lost; null where PVE cannot say. */
async function stateOf({ pve, vmid }: Guest): Promise<{ trouble: string | null; isOver: boolean } | null> {
  try {
    const { status, qmpStatus } = await pve.guestStatus(vmid);
    if (status !== 'running') return { trouble: `VM ${vmid} is ${status}`, isOver: true };
    if (qmpStatus === null || qmpStatus === 'running') return { trouble: null, isOver: false };
    return { trouble: `VM ${vmid} is halted (${qmpStatus})`, isOver: qmpStatus === 'shutdown' };
  } catch (error) {
    return error instanceof NoGuest ? { trouble: `VM ${vmid} does not exist any more`, isOver: true } : null;
  }
}

function stopped({ host: { target } }: Run, trouble: string): Fault {
  const command = `pbs-ctl recover --host ${target.host}`;
  return new Fault('upgrade.vm-stopped', `The upgrade was cut off: ${trouble}. Fence and lock stay.`, {
    hint: `See how it is, and start it:\n${command}`,
  });
}
