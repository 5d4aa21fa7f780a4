import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { RealGuest } from './real-guest.js';
import { Vm } from './vm.js';

/** A lab whose pbs01 is a real guest, just booted. */
export interface GuestLab {
  readonly lab: Lab;
  readonly guest: RealGuest;
  readonly vm: Vm;
  /** Arguments of a command that names no config yet. */
  args(...args: string[]): string[];
  stop(): Promise<void>;
}

/** Limits for a machine that is emulated in software. `minRebootInterval`: the guest has booted just now. */
const POLICY = {
  pollInterval: '1s',
  stableFor: '3s',
  rebootTimeout: '4m',
  upgradeTimeout: '8m',
  requestTimeout: '60s',
  minRebootInterval: '0s',
};

export async function startGuestLab(policy: Readonly<Record<string, unknown>> = {}): Promise<GuestLab> {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-guest-'));
  const vm = new Vm(join(folder, 'vm'), inject('image'));
  await vm.resume();
  const guest = new RealGuest(vm);
  const lab = await startLab({ dir: join(folder, 'lab'), factor: 20, machines: { pbs01: guest } });
  const config = JSON.parse(readFileSync(lab.configPath, 'utf8')) as { policy: object };
  Object.assign(config.policy, POLICY, policy);
  writeFileSync(lab.configPath, JSON.stringify(config));
  return {
    lab,
    guest,
    vm,
    args: (...args) => [...args, '--host', 'pbs01', '--config', lab.configPath],
    async stop() {
      await lab.stop();
      if (process.env.PBS_CTL_GUEST_KEEP === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
