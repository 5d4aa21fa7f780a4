import type { Clock } from '../../world.js';
import { block, type Check, pass } from '../check.js';

/** How far a clock is off ours, seconds, and how sure that is. */
interface Offset {
  readonly name: string;
  readonly seconds: number;
}

/** Do controller, PVE node and PBS agree on the time? Expiry and schedules rest on it. */
export const clockSkew: Check<readonly Offset[]> = {
  id: 'clock.skew',
  async look({ pbs, clusters, clock }) {
    return Promise.all([
      offset('PBS', clock, () => pbs.time()),
      ...clusters.map(async ({ pve, name }) => {
        const node = (await pve.clusterStatus()).nodes.find(({ online }) => online);
        if (!node) throw new Error(`no node of cluster ${name} is online`);
        return offset(`PVE node ${node.name}`, clock, () => pve.nodeTime(node.name));
      }),
    ]);
  },
  judge(offsets, { target: { policy } }) {
    const off = offsets.filter(({ seconds }) => Math.abs(seconds) * 1000 > policy.maxClockSkew);
    const worst = Math.max(0, ...offsets.map(({ seconds }) => Math.abs(seconds)));
    if (off.length === 0) return pass(`clocks agree within ${Math.ceil(worst)} s`);
    return block(
      off
        .map(
          ({ name, seconds }) =>
            `${name} is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead' : 'behind'}`,
        )
        .join('; '),
    );
  },
};

/** The answer was made somewhere between question and arrival; the middle is the best guess. */
async function offset(
  name: string,
  clock: Clock,
  ask: () => Promise<{ epochSeconds: number }>,
): Promise<Offset> {
  const asked = clock.now();
  const { epochSeconds } = await ask();
  const middle = (asked + clock.now()) / 2000;
  return { name, seconds: epochSeconds + 0.5 - middle };
}
