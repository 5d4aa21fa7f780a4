import type { Pin } from '../guest/kernel-pin.js';
import { compareKernels } from '../guest/kernels.js';

export interface BootableKernels {
  readonly running: string;
  readonly installed: readonly string[];
  readonly pinned: Pin | null;
}

/** `newest`: what should run instead. */
type KernelStanding =
  | { readonly kind: 'current' }
  | { readonly kind: 'older'; readonly newest: string }
  | { readonly kind: 'pinned'; readonly newest: string; readonly pin: Pin };

/** Whether the kernel runs that the next boot would start. Pure. */
export function kernelStanding({ running, installed, pinned }: BootableKernels): KernelStanding {
  const newest = [...installed].sort(compareKernels).at(-1);
  if (newest === undefined || compareKernels(newest, running) <= 0) return { kind: 'current' };
  return pinned?.kernel === running ? { kind: 'pinned', newest, pin: pinned } : { kind: 'older', newest };
}

/** Kernels that this machine could boot: a container runs one of its node, and none of those that lie in it. */
export const bootableWithoutGuest = (running: string, installed: readonly string[]): readonly string[] =>
  running.endsWith('-pve') && !installed.includes(running) ? [] : installed;
