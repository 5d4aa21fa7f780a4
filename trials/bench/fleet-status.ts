import { startFleet } from '../stand-ins/fleet.js';
import { footprintOf } from '../stand-ins/footprint.js';

const ROUND_TRIP_MS = 50;

export const fleetStatus = {
  name: '`status --all`: 200 hosts in 20 clusters, 1,000 in 100',
  target: '200: at most 3 s, peak at most 200 MB; 1,000: in proportion, at most 350 MB',
  how: 'One other process plays all servers, each at an address of its own of 127.0.0.0/8; every request takes 50 ms, every new connection 100 ms more. Time is that of the whole process, peak its VmHWM.',
  async measure() {
    const [small, large] = [await look(200, 20), await look(1000, 100)];
    return {
      small,
      large,
      met:
        small.wallMs <= 3000 &&
        small.peakMb <= 200 &&
        large.peakMb <= 350 &&
        large.wallMs <= small.wallMs * 6,
    };
  },
};

async function look(hosts: number, clusters: number) {
  const fleet = await startFleet(hosts, clusters, ROUND_TRIP_MS);
  let counts: { connections: number; requests: number } | undefined;
  try {
    const { ended, ...took } = await footprintOf(['status', '--all', '--json', '--config', fleet.configPath]);
    if (ended.code !== 0) throw new Error(`status ended with ${ended.code}: ${ended.stderr}`);
    counts = await fleet.stop();
    return { hosts, ...took, ...counts };
  } finally {
    if (!counts) await fleet.stop();
  }
}
