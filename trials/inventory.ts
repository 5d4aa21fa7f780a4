import { type Lab, type LabOptions, startLab } from '../src/lab/lab.js';
import { nightly, type SimulatedGroup } from '../src/lab/pbs/contents.js';
import { Controller, documentIn, patchArgs } from './controller.js';
import type { Random } from './random.js';

/** From which version to which one PBS is upgraded; the first two cross the borders at which lists change. */
export const PAIRS: ReadonlyArray<{
  readonly pbs: NonNullable<LabOptions['pbs']>;
  readonly crosses: string;
}> = [
  { pbs: '3.4', crosses: '3.4.8' },
  { pbs: '4.0', crosses: '4.0.17' },
  { pbs: '4.2', crosses: 'none' },
];

interface Fault {
  readonly name: string;
  /** What befalls the host between its going down and its coming up. */
  readonly act: (lab: Lab) => void;
  /** What the report says of it. */
  readonly words: RegExp;
}

const host = (lab: Lab) => {
  const found = lab.hosts.get('pbs01');
  if (!found) throw new Error('the lab has no pbs01');
  return found;
};
const tank = (lab: Lab) => host(lab).datastoreAt('tank');
const groups = (lab: Lab) => tank(lab).groups ?? [];
const first = (lab: Lab): SimulatedGroup => {
  const found = groups(lab).find(({ id }) => id === '101');
  if (!found) throw new Error('tank has no vm/101');
  return found;
};
/** The newest finished snapshots: which of those of the same moment is read is not said. */
const newest = (lab: Lab) =>
  groups(lab).flatMap(({ snapshots }) => snapshots.findLast(({ unfinished }) => !unfinished) ?? []);
const storage = (lab: Lab) => lab.cluster.storages.findIndex(({ storage }) => storage === 'pbs01-tank');

export const FAULTS: readonly Fault[] = [
  {
    name: 'wrong disk',
    act: (lab) => {
      tank(lab).groups = [nightly({ type: 'vm', id: '555' }, { now: 1_700_000_000, count: 2 })];
    },
    words: /groups are gone/,
  },
  {
    name: 'older dataset',
    act: (lab) => {
      for (const group of groups(lab)) group.snapshots = group.snapshots.slice(0, -1);
    },
    words: /fewer snapshots|is gone/,
  },
  {
    name: 'empty store',
    act: (lab) => {
      tank(lab).groups = [];
    },
    words: /groups are gone/,
  },
  {
    name: 'one group gone',
    act: (lab) => {
      tank(lab).groups = groups(lab).filter((group) => group !== first(lab));
    },
    words: /1 group is gone: vm\/101/,
  },
  {
    name: 'one snapshot gone',
    act: (lab) => {
      first(lab).snapshots.shift();
    },
    words: /fewer snapshots: vm\/101/,
  },
  {
    name: 'newest replaced by an older one',
    act: (lab) => {
      const group = first(lab);
      const last = Math.max(...group.snapshots.map(({ time }) => time));
      group.snapshots = group.snapshots.filter(({ time }) => time !== last);
      group.snapshots.unshift({ time: 1_600_000_000, files: {} });
    },
    words: /lost its newest snapshot: vm\/101/,
  },
  {
    name: 'owner unreadable',
    act: (lab) => {
      first(lab).owner = null;
    },
    words: /1 group is gone: vm\/101/,
  },
  {
    name: 'namespace hidden',
    act: (lab) => host(lab).access.grant('/datastore/tank/prod', []),
    words: /may not see namespace prod any more/,
  },
  {
    name: 'manifest damaged',
    act: (lab) => {
      for (const snapshot of newest(lab)) snapshot.damaged = true;
    },
    words: /manifest of \S+ .* cannot be read any more/,
  },
  {
    name: 'blob bit flipped',
    act: (lab) => {
      for (const snapshot of newest(lab)) snapshot.flipped = Object.keys(snapshot.files)[0] ?? '';
    },
    words: /conf.blob of \S+ .* is not what its manifest says any more/,
  },
  {
    name: "client's password no longer valid",
    act: (lab) => {
      const found = lab.cluster.storages[storage(lab)];
      if (found) found.badPassword = true;
    },
    words: /storage pbs01-tank of cluster main did not answer/,
  },
  {
    name: 'fingerprint new',
    act: (lab) => {
      const found = lab.cluster.storages[storage(lab)];
      if (found)
        lab.cluster.storages[storage(lab)] = { ...found, fingerprint: Array(32).fill('aa').join(':') };
    },
    words: /storage pbs01-tank/,
  },
];

/** A datastore as any may be: some groups, of which some are empty and some have an unfinished snapshot as their newest. */
function fill(lab: Lab, random: Random): void {
  const now = host(lab).time.now();
  const { groups: known = [] } = tank(lab);
  for (let index = 0; index < random.between(0, 6); index += 1) {
    const ns = random.oneOf(['', 'prod', 'prod/a', 'dev']);
    const group = nightly(
      { type: random.oneOf(['vm', 'ct']), id: String(300 + index), ns },
      { now, count: random.between(0, 9) },
    );
    if (random.next() < 0.4)
      group.snapshots.push({ time: now - random.between(60, 9000), files: {}, unfinished: true });
    known.splice(random.between(0, known.length), 0, group);
  }
  if (random.next() < 0.3) first(lab).snapshots.push({ time: now - 60, files: {}, unfinished: true });
  tank(lab).groups = known;
}

export interface InventoryRun {
  readonly pair: string;
  readonly fault: string;
  /** What is wrong with how it ended; null where it ended as it has to. */
  readonly violation: string | null;
}

/**
 * One whole run over a pair of versions.
 * @param fault null for a healthy world
 */
export async function runOnce(random: Random, fault: Fault | null): Promise<InventoryRun> {
  const { pbs } = random.oneOf(PAIRS as [(typeof PAIRS)[number], ...typeof PAIRS]);
  const lab = await startLab({ factor: 100, pbs, pve: pbs === '3.4' ? '8.4' : '9.2' });
  try {
    fill(lab, random);
    host(lab).machine.on('kernel-up', () => {
      fault?.act(lab);
      // One disk, another order, and other states of verification.
      groups(lab).reverse();
      for (const snapshot of newestOfEach(lab)) snapshot.verified = random.oneOf(['ok', 'failed']);
    });
    const document = documentIn(await new Controller(patchArgs(lab.configPath)).ended);
    const said = JSON.stringify(
      document?.checks.filter(({ id }) => /^verify\.(inventory|storages)$/.test(id)),
    );
    const fences = host(lab).datastores.filter(({ maintenance }) => maintenance !== null).length;
    const is = `${document?.outcome}, ${fences} fences`;
    const should = fault ? 'unverified, 2 fences' : 'patched, 0 fences';
    const named = fault === null || fault.words.test(said);
    const violation = is === should && named ? null : `${is}: ${document?.error?.message ?? said}`;
    return { pair: pbs, fault: fault?.name ?? 'none', violation };
  } finally {
    await lab.stop();
  }
}

const newestOfEach = (lab: Lab) => groups(lab).flatMap(({ snapshots }) => snapshots.slice(-1));
