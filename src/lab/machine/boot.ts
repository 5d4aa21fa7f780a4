import type { LabTime } from '../time.js';
import { BOOT_SECONDS, type BootSpec } from './spec.js';

/** Facts of a machine's life, in the order in which a reboot tells them. */
export type MachineEvent =
  | 'going-down'
  | 'down'
  | 'booting'
  | 'kernel-up'
  | 'agent-up'
  | 'services-up'
  | 'up'
  // Beside a reboot: nothing in the VM moves, and it moves again.
  | 'halted'
  | 'resumed';

/** Simulated seconds in which systemd takes the request; who requested it gets an answer meanwhile. */
const BEFORE_SHUTDOWN = 0.5;
/** Simulated seconds for which the agent still answers after the machine was told to reboot. */
const AGENT_LINGERS = 1;
/** Simulated seconds of firmware between the end of one system and the start of the next. */
const FIRMWARE = 1;

/**
 * Lets a reboot happen step by step.
 * @param step is called at each event, and with `agent-silent` when the agent stops
 */
export function scheduleReboot(
  time: LabTime,
  spec: BootSpec,
  step: (event: MachineEvent | 'agent-silent') => void,
): void {
  const down = spec.downSeconds ?? BOOT_SECONDS.down;
  time.after(BEFORE_SHUTDOWN, () => {
    step('going-down');
    time.after(Math.min(AGENT_LINGERS, down), () => step('agent-silent'));
  });
  time.after(BEFORE_SHUTDOWN + down, () => {
    step('down');
    if (spec.neverComesBack === 'stopped') return;
    time.after(FIRMWARE, () => {
      step('booting');
      if (spec.neverComesBack === 'emergency') return;
      time.after(spec.bootSeconds ?? BOOT_SECONDS.boot, () => {
        step('kernel-up');
        time.after(spec.agentSeconds ?? BOOT_SECONDS.agent, () => {
          step('agent-up');
          time.after(spec.servicesSeconds ?? BOOT_SECONDS.services, () => {
            step('services-up');
            step('up');
          });
        });
      });
    });
  });
}
