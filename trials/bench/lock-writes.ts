import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../src/config/load.js';
import { Fault } from '../../src/fault.js';
import { openCluster } from '../../src/host/open.js';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { acquire } from '../../src/lock/lock.js';
import { release } from '../../src/lock/release.js';
import { realWorld } from '../../src/world.js';
import { Random } from '../random.js';

const ROUND_TRIP_MS = 200;
const [CONTENDERS, ACQUISITIONS, POLL_MS] = [8, 100, 200];

export const lockWrites = {
  name: 'lock: round trips of an uncontended acquire and release; acquisitions per write with 8 contenders',
  target: 'at most 5 round trips; at least 0.5',
  how: `Against the lab. Round trips: the time of each, with ${ROUND_TRIP_MS} ms added to every request, over ${ROUND_TRIP_MS} ms, connecting included. Contenders poll every ${POLL_MS} ms with a round trip of 5 ms and hold the lock for 20 ms; writes are the PUTs that try to take it, refused ones included.`,
  async measure() {
    const lab = await startLab({ factor: 100 });
    try {
      lab.setWeather(() => ({ kind: 'late', ms: ROUND_TRIP_MS }));
      const alone = await contender(lab, 'alone');
      const taking = await roundTrips(() => alone.take());
      await alone.close();
      const again = await contender(lab, 'alone');
      const releasing = await roundTrips(() => again.giveBack());
      await again.close();
      lab.setWeather(() => ({ kind: 'late', ms: 5 }));
      const perWrite = await contend(lab);
      return { taking, releasing, perWrite, met: taking <= 5.5 && releasing <= 5.5 && perWrite >= 0.5 };
    } finally {
      await lab.stop();
    }
  },
};

async function roundTrips(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return (performance.now() - begun) / ROUND_TRIP_MS;
}

async function contend(lab: Lab): Promise<number> {
  const random = new Random(1);
  const before = lab.record.requests.length;
  let had = 0;
  await Promise.all(
    Array.from({ length: CONTENDERS }, async (_, index) => {
      const one = await contender(lab, `contender${index}`);
      await delay(random.between(0, POLL_MS));
      while (had < ACQUISITIONS) {
        try {
          await one.take();
          had += 1;
          await delay(20);
          await one.giveBack();
        } catch (error) {
          if (!(error instanceof Fault && ['lock.held', 'lock.contended'].includes(error.code))) throw error;
        }
        await delay(POLL_MS);
      }
      await one.close();
    }),
  );
  const writes = lab.record.requests.slice(before).filter(({ method }) => method === 'PUT').length;
  // Each that had it wrote once more to give it back.
  return had / (writes - had);
}

async function contender(lab: Lab, owner: string) {
  const world = realWorld();
  const { config } = await loadConfig({ path: lab.configPath, env: {}, cwd: lab.dir });
  const cluster = await openCluster(config, 'main', world);
  const claim = { owner, run: owner, ttlMs: 60_000, onExpired: 'postpone' as const, sole: true };
  return {
    take: () => acquire(cluster.lock, claim),
    giveBack: () => release(cluster.lock, claim),
    close: () => cluster.pve.close(),
  };
}
