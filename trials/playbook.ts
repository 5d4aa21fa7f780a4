import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '../src/lab/lab.js';

const UPGRADE = 'apt-get update && apt-get -y dist-upgrade && apt-get -y autoremove && apt-get -y autoclean';

/**
 * What the playbook does that pbs-ctl replaces: it upgrades, cleans up, reboots and waits until the host
 * answers. It does not ask whether a backup runs.
 * @returns whether the upgrade went well
 */
export async function playbook(lab: Lab): Promise<boolean> {
  const machine = lab.hosts.get('pbs01')?.machine;
  if (!machine) throw new Error('the lab has no pbs01');
  const pid = machine.exec(['/bin/sh', '-c', UPGRADE]);
  let state = machine.execStatus(pid);
  while (!state.exited) {
    await delay(50);
    state = machine.execStatus(pid);
  }
  if (state.exitcode !== 0) return false;
  const isBack = new Promise<void>((resolve) => machine.on('up', resolve));
  machine.reboot();
  await isBack;
  return true;
}
