import { readFileSync } from 'node:fs';
import { takeInventory } from '../../src/checks/take-inventory.js';
import { parseConfig } from '../../src/config/load.js';
import { targetOf } from '../../src/config/target.js';
import { openHost } from '../../src/host/open.js';
import { startLab } from '../../src/lab/lab.js';
import { nightly } from '../../src/lab/pbs/contents.js';
import { realWorld } from '../../src/world.js';

const [GROUPS, SNAPSHOTS] = [1000, 100];
const NAMESPACES = ['', 'dev', 'prod', 'test'];

export const inventory = {
  name: `the inventory of a datastore with ${(GROUPS * SNAPSHOTS).toLocaleString('en-US')} snapshots in ${GROUPS} groups and ${NAMESPACES.length} namespaces`,
  target: 'at most 2 + namespaces requests and 2 for a file; at most 5 s',
  how: 'The lists as a run takes them after its drain, against the lab. Seconds include the time that the lab needs to answer.',
  async measure() {
    const lab = await startLab({ factor: 100 });
    try {
      const pbs = lab.hosts.get('pbs01');
      if (!pbs) throw new Error('the lab has no pbs01');
      pbs.datastores.splice(1);
      pbs.datastoreAt('tank').groups = Array.from({ length: GROUPS }, (_, index) =>
        nightly(
          { type: 'vm', id: String(1000 + index), ns: NAMESPACES[index % NAMESPACES.length] ?? '' },
          { now: pbs.time.now(), count: SNAPSHOTS },
        ),
      );
      const config = parseConfig(readFileSync(lab.configPath, 'utf8'), lab.configPath);
      const never = new AbortController().signal;
      const signals = { stop: never, now: never, heedSignals: () => () => {} };
      const host = await openHost(config, targetOf(config, 'pbs01'), realWorld(signals));
      const begun = performance.now();
      const memory = process.memoryUsage().heapUsed;
      const { inventory: taken } = await takeInventory(host.answers('bench1'), {
        runId: 'bench1',
        groupsSeen: new Map(),
        keep: () => {},
        progress: () => {},
      });
      const seconds = (performance.now() - begun) / 1000;
      const heapMiB = (process.memoryUsage().heapUsed - memory) / 1024 ** 2;
      await host.close();
      const requests = pbs.storeCalls.asked.length;
      const snapshots = taken.stores
        .flatMap(({ namespaces }) => namespaces)
        .reduce((sum, each) => sum + each.snapshots, 0);
      if (snapshots !== GROUPS * SNAPSHOTS) throw new Error(`${snapshots} snapshots were counted`);
      return { requests, seconds, heapMiB, met: requests <= 2 + NAMESPACES.length + 2 && seconds <= 5 };
    } finally {
      await lab.stop();
    }
  },
};
