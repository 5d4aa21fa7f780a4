import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { GuestMachine } from '../../src/lab/guest-machine.js';
import { type Lab, startLabWith } from '../../src/lab/lab.js';
import { RealGuest } from './real-guest.js';
import { Vm } from './vm.js';

/** A lab whose pbs01 is a real guest, just booted. */
export interface GuestLab {
  readonly lab: Lab<GuestMachine>;
  readonly guest: RealGuest;
  readonly vm: Vm;
  /** Arguments of a command that names no config yet. */
  args(...args: string[]): string[];
  /** Changes keys of the policy in the config. */
  setPolicy(policy: Readonly<Record<string, unknown>>): void;
  stop(): Promise<void>;
}

/** Prints the id of the running boot. */
export const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

/** Limits for a machine that is emulated in software. `minRebootInterval`: the guest has booted just now. */
const POLICY = {
  pollInterval: '1s',
  stableFor: '3s',
  rebootTimeout: '4m',
  upgradeTimeout: '8m',
  requestTimeout: '60s',
  minRebootInterval: '0s',
};

export async function startGuestLab(
  policy: Readonly<Record<string, unknown>> = {},
  scenario = 'healthy',
): Promise<GuestLab> {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-guest-'));
  const vm = new Vm(join(folder, 'vm'), inject('image'));
  await vm.resume();
  const guest = new RealGuest(vm);
  const lab = await startLabWith({ pbs01: guest }, { dir: join(folder, 'lab'), factor: 20, scenario });
  const setPolicy = (keys: Readonly<Record<string, unknown>>) => {
    const config = JSON.parse(readFileSync(lab.configPath, 'utf8')) as { policy: object };
    Object.assign(config.policy, keys);
    writeFileSync(lab.configPath, JSON.stringify(config));
  };
  setPolicy({ ...POLICY, ...policy });
  return {
    lab,
    guest,
    vm,
    setPolicy,
    args: (...args) => [...args, '--host', 'pbs01', '--config', lab.configPath],
    async stop() {
      await lab.stop();
      if (process.env.PBS_CTL_GUEST_KEEP === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How long the parts of a run took, by the times of its lines. */
export function timesOf({ stderr }: { readonly stderr: string }): string {
  const at = (text: string) => {
    const clock = new RegExp(`^(\\d+):(\\d+):(\\d+) pbs01 ${text}`, 'm').exec(stderr);
    return clock ? Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]) : Number.NaN;
  };
  return ['preflight', 'upgrade', 'wait', 'verify']
    .map((phase) => `${phase} ${at(`${phase}: `) - at(`${phase} …`)} s`)
    .join(', ');
}
