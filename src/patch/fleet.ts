import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import type { Signals } from '../world.js';
import { type FleetHost, fleetHost } from './fleet-member.js';
import { workThrough } from './work-through.js';

export interface FleetEnd {
  /** Hosts that were not begun, in order. */
  readonly left: readonly string[];
  /** What ended a host before its run had begun; the first of them. */
  readonly failure: { readonly error: unknown } | null;
  /** A signal came; the runs under way had to deal with it themselves. */
  readonly interrupted: boolean;
}

/**
 * Carries out something for each host, side by side where they share no cluster.
 * @param act answers false when no further host is to begin
 */
export async function inFleet(
  config: Config,
  targets: readonly Target[],
  { lanes, world, act }: { lanes: number; world: Signals; act: (target: Target) => Promise<boolean> },
): Promise<FleetEnd> {
  let failure: FleetEnd['failure'] = null;
  // One host alone deals with a signal itself, and dies by it where it does not listen.
  const unheed = targets.length > 1 ? world.heedSignals() : () => {};
  try {
    const left = await workThrough<FleetHost>({
      items: targets.map((target) => fleetHost(config, target)),
      lanes,
      mayBegin: () => !world.stop.aborted,
      act: ({ target }) =>
        act(target).catch((error: unknown) => {
          failure ??= { error };
          return false;
        }),
    });
    return { left: left.map(({ target }) => target.host), failure, interrupted: world.stop.aborted };
  } finally {
    unheed();
  }
}
