import { noNode } from '../api/absent.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import type { Clock } from '../world.js';
import { block, check, pass } from './check.js';

/** How far a clock is ahead of ours, in seconds. */
interface Offset {
  readonly name: string;
  readonly seconds: number;
}

/** Do controller, PVE nodes and PBS agree on the time? Expiry and schedules depend on it. */
export const clockSkew = check({
  id: 'clock.skew',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  async look({ pbs, clusters, clock }): Promise<readonly Offset[]> {
    const offsets = await Promise.all([
      offset('PBS', clock, () => pbs.time()),
      ...clusters.map(async ({ pve, name }) => {
        const { online } = await pve.clusterStatus();
        if (online.length === 0) throw noNode(name);
        return Promise.all(online.map((node) => offset(`PVE node ${node}`, clock, () => pve.nodeTime(node))));
      }),
    ]);
    return offsets.flat();
  },
  judge(offsets, { target: { policy } }) {
    const off = offsets.filter(({ seconds }) => Math.abs(seconds) * 1000 > policy.maxClockSkew);
    // Two clocks within the limit of ours can still differ from each other by more.
    const inOrder = [{ name: 'this machine', seconds: 0 }, ...offsets].sort((a, b) => a.seconds - b.seconds);
    const [slowest, fastest] = [inOrder[0], inOrder.at(-1)] as [Offset, Offset];
    const apart = fastest.seconds - slowest.seconds;
    const commands = ['timedatectl', 'systemctl restart chrony'];
    const fixes = [{ where: 'the machine named', commands }];
    if (off.length === 0 && apart * 1000 > policy.maxClockSkew)
      return { ...block(`${fastest.name} is ${Math.round(apart)} s ahead of ${slowest.name}`), fixes };
    if (off.length === 0) return pass(`clocks agree within ${Math.ceil(apart)} s`);
    const words = off
      .map(
        ({ name, seconds }) =>
          `${name} is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead' : 'behind'}`,
      )
      .join('; ');
    return { ...block(words), fixes };
  },
});

/** The server read its clock between request and answer; the middle is the best guess. */
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
