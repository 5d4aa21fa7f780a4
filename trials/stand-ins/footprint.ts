import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Controller, type Ended } from '../controller.js';

export interface Footprint {
  /** Peak of the resident memory (VmHWM) of the process of the command alone. */
  readonly peakMb: number;
  readonly cpuMs: number;
  /** From the start of the process to its end. */
  readonly wallMs: number;
}

/** Runs the built command to its end and tells what it took. */
export async function footprintOf(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Footprint & { readonly ended: Ended }> {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-footprint-'));
  const file = join(folder, 'footprint.json');
  try {
    const { ended } = new Controller(args, {
      env: { ...env, FOOTPRINT: file },
      imports: [resolve('trials/stand-ins/footprint.mjs')],
    });
    const end = await ended;
    return { ended: end, ...(JSON.parse(readFileSync(file, 'utf8')) as Footprint) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
