import type { Policy } from '../config/schema.js';
import type { RunState } from '../journal/state.js';
import { type BootableKernels, kernelStanding } from './kernel.js';

/** `required`: something in the guest asks for a reboot. */
export interface Kernels extends BootableKernels {
  readonly required: boolean;
}

/** Whether this run reboots, and why (not). Pure. */
export function rebootDecision(
  mode: Policy['reboot'],
  state: Pick<RunState, 'changes' | 'owesReboot'>,
  kernels: Kernels,
): { readonly reboot: boolean; readonly why: string } {
  const changed = (state.changes?.upgraded.length ?? 0) + (state.changes?.installed.length ?? 0);
  const kernel = kernelStanding(kernels);
  if (mode === 'never') return { reboot: false, why: 'no reboot, by policy' };
  if (mode === 'always') return { reboot: true, why: 'policy: always' };
  if (state.owesReboot) return { reboot: true, why: 'an earlier run left the reboot pending' };
  if (mode === 'after-upgrade')
    return { reboot: changed > 0, why: changed > 0 ? 'packages were upgraded' : 'nothing was upgraded' };
  if (kernel.kind === 'older')
    return { reboot: true, why: `kernel ${kernel.newest} is installed, ${kernels.running} runs` };
  if (kernels.required) return { reboot: true, why: 'the guest asks for a reboot' };
  const base = state.changes?.upgraded.find(({ name }) => NEEDS_REBOOT.test(name));
  if (base)
    return {
      reboot: true,
      why: `${base.name} was upgraded, which running programs still use in its old form`,
    };
  return { reboot: false, why: 'nothing requires a reboot' };
}

/** Libraries and services that everything uses: only a boot replaces them everywhere. */
const NEEDS_REBOOT =
  /^(libc6|libssl|openssl|systemd|libsystemd|dbus|zfs|libzfs|libstdc|intel-microcode|amd64-microcode)/;
