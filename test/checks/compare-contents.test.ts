import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareContents } from '../../src/checks/compare-contents.js';
import { seeStorages, storagesFinding } from '../../src/checks/storages.js';
import { takeInventory } from '../../src/checks/take-inventory.js';
import { parseConfig } from '../../src/config/load.js';
import { targetOf } from '../../src/config/target.js';
import { type Host, openHost } from '../../src/host/open.js';
import { LISTS, type StorageSeen } from '../../src/journal/inventory.js';
import { Journal } from '../../src/journal/journal.js';
import type { RunState } from '../../src/journal/state.js';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { nightly } from '../../src/lab/pbs/contents.js';
import type { PbsHost } from '../../src/lab/pbs/host.js';
import type { SimulatedDatastore } from '../../src/lab/pbs/state.js';
import { realWorld } from '../../src/world.js';
import { noSignals } from '../support/in-process.js';

const RUN = 'abc123';
const FENCE = `read-only,message=pbs-ctl run ${RUN}`;

let scratch: string;
let lab: Lab;
let pbs: PbsHost;
let host: Host;
let journal: Journal;
let storages: StorageSeen[];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'pbs-ctl-inventory-'));
  lab = await startLab({ factor: 200 });
  const found = lab.hosts.get('pbs01');
  if (!found) throw new Error('the lab has no pbs01');
  pbs = found;
  const world = realWorld(noSignals());
  const config = parseConfig(readFileSync(lab.configPath, 'utf8'), lab.configPath);
  host = await openHost(config, targetOf(config, 'pbs01'), world);
  journal = Journal.begin(scratch, RUN, world.clock, {
    type: 'started',
    host: 'pbs01',
    mode: 'patch',
    owesReboot: false,
  });
  for (const store of pbs.datastores) store.maintenance = FENCE;
  const { inventory, remarks } = await takeInventory(host.answers(RUN), {
    runId: RUN,
    groupsSeen: new Map(),
    keep: (lines) => journal.keep(LISTS, lines),
    progress: () => {},
  });
  expect(remarks).toEqual([]);
  storages = await seeStorages(host.answers(RUN));
  journal.append({ type: 'inventory', inventory, storages });
});
afterAll(async () => {
  journal.close();
  await host.close();
  await lab.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const look = (state: RunState = journal.state) => compareContents(host.answers(RUN), state, journal.folder);
const tank = () => pbs.datastoreAt('tank');
const groupsOf = ({ groups = [] }: SimulatedDatastore) => groups;
const vm101 = () => groupsOf(tank())[0] ?? expect.unreachable();
const newestOf = () => vm101().snapshots.at(-1) ?? expect.unreachable();

/** What is in tank, and what may be seen of it, is as before again at the end. */
async function withFault<Result>(
  fault: () => void | Promise<void>,
  act: () => Promise<Result>,
): Promise<Result> {
  const groups = groupsOf(tank()).map((group) => ({
    ...group,
    snapshots: group.snapshots.map((snapshot) => ({ ...snapshot })),
  }));
  const { access } = pbs;
  const { effective } = access;
  await fault();
  try {
    return await act();
  } finally {
    tank().groups = groups;
    tank().trouble = null;
    for (const store of pbs.datastores) store.maintenance = FENCE;
    Object.assign(access, { effective });
  }
}

/** Takes rights away on a path and below. */
const denied = (path: string, ...rights: string[]) => {
  const effective = pbs.access.effective.bind(pbs.access);
  Object.assign(pbs.access, {
    effective: (where: string) =>
      new Map([...effective(where)].filter(([right]) => !(where.startsWith(path) && rights.includes(right)))),
  });
};

describe('what is in the datastores after the reboot', () => {
  it('is equal, and the report says how much that is and what was read', async () => {
    expect(await look()).toMatchObject({
      id: 'verify.inventory',
      status: 'pass',
      summary:
        '4 groups, 22 snapshots, all as before; newest manifest of each datastore read, and a file of it bit by bit',
      detail: { equal: true, differences: [] },
    });
  });

  const FAULTS: Readonly<Record<string, readonly [fault: () => void, words: RegExp]>> = {
    'another disk on the path': [
      () => {
        tank().groups = [nightly({ type: 'vm', id: '555' }, { now: 1_700_000_000, count: 2 })];
      },
      /tank: namespace prod is gone, with 1 group; tank: 2 groups are gone: ct\/103, vm\/101; tank: 1 group is new: vm\/555$/,
    ],
    'an older state of the dataset': [
      () => {
        for (const group of groupsOf(tank())) group.snapshots = group.snapshots.slice(0, -1);
      },
      /tank: 2 groups have fewer snapshots: ct\/103 \(5 before, 4 now\), vm\/101 \(7 before, 6 now\); tank: 1 group of namespace prod has fewer/,
    ],
    'an empty datastore': [
      () => {
        tank().groups = [];
      },
      /tank: namespace prod is gone, with 1 group; tank: 2 groups are gone: ct\/103, vm\/101$/,
    ],
    'one group gone': [
      () => {
        tank().groups = groupsOf(tank()).filter(({ id }) => id !== '103');
      },
      /^tank: 1 group is gone: ct\/103$/,
    ],
    'one snapshot gone': [
      () => {
        vm101().snapshots.splice(2, 1);
      },
      /^tank: 1 group has fewer snapshots: vm\/101 \(7 before, 6 now\)$/,
    ],
    'the newest replaced by an older one': [
      () => {
        vm101().snapshots.pop();
        vm101().snapshots.unshift({ time: 1_700_000_000, files: {} });
      },
      /^tank: 1 group has lost its newest snapshot: vm\/101$/,
    ],
    'an owner that cannot be read': [
      () => {
        vm101().owner = null;
      },
      /^tank: 1 group is gone: vm\/101$/,
    ],
    'another owner': [
      () => {
        vm101().owner = 'root@pam';
      },
      /^tank: 1 group has another owner: vm\/101 \(pve@pbs!cluster1 before, root@pam now\)$/,
    ],
    'a namespace hidden': [
      () => denied('/datastore/tank/prod', 'Datastore.Audit', 'Datastore.Backup'),
      /^tank: the token may not see namespace prod any more: Datastore.Audit on \/datastore\/tank\/prod was taken away$/,
    ],
    'a namespace gone': [
      () => {
        tank().groups = groupsOf(tank()).filter(({ ns }) => ns === '');
      },
      /^tank: namespace prod is gone, with 1 group$/,
    ],
    'a manifest damaged': [
      () => {
        newestOf().damaged = true;
      },
      /^tank: the manifest of vm\/101 \S+ in tank cannot be read any more: .*wrong magic number$/,
    ],
    'a bit of a file flipped': [
      () => {
        newestOf().flipped = 'qemu-server.conf.blob';
      },
      /^tank: qemu-server.conf.blob of vm\/101 \S+ in tank is not what its manifest says any more$/,
    ],
    'the right to read taken away': [
      () => denied('/datastore/tank', 'Datastore.Read', 'Datastore.Backup'),
      /^tank: qemu-server.conf.blob of vm\/101 \S+ in tank cannot be read any more: .*lacks Datastore.Read on \/datastore\/tank$/,
    ],
    'a path that has vanished': [
      () => {
        tank().trouble = 'path-gone';
      },
      /^tank cannot be listed: .*groups: ENOENT/,
    ],
  };
  it.each(Object.entries(FAULTS))('%s: it blocks, says so, and nobody can accept it', async (_, [
    fault,
    words,
  ]) => {
    const finding = await withFault(fault, look);
    expect(finding).toMatchObject({ status: 'block', summary: expect.stringMatching(words) });
    expect(finding.acceptable).toBeUndefined();
  });

  it('(4) namespaces are compared first: one without rights vanishes without a word', async () => {
    const { detail } = await withFault(
      () => denied('/datastore/tank/prod', 'Datastore.Audit', 'Datastore.Backup'),
      look,
    );
    expect(detail).toMatchObject({ equal: false, differences: [expect.stringContaining('namespace prod')] });
  });

  it('(6) a reader that can no longer see is not a loss, and said as that', async () => {
    // With Datastore.Backup alone it still sees what it owns itself, which is nothing.
    const { status, summary } = await withFault(() => denied('/datastore/tank', 'Datastore.Audit'), look);
    expect([status, summary]).toEqual([
      'block',
      expect.stringContaining('the token may not see its root namespace any more'),
    ]);
  });

  it('(5) an S3 store answers from the local cache of the host, which is said', async () => {
    const { inventory } = journal.state;
    const stores = inventory?.stores.map((store) => ({ ...store, cached: store.name === 'vault' })) ?? [];
    const state = { ...journal.state, inventory: inventory && { ...inventory, stores } };
    expect((await look(state)).summary).toMatch(/; vault is an S3 store and answers from its local cache$/);
  });

  it('(7) without the fence of the run growth is allowed, and loss is not, but for what a prune task removed', async () => {
    const unfenced = () => {
      for (const store of pbs.datastores) store.maintenance = null;
    };
    const grown = await withFault(() => {
      unfenced();
      vm101().snapshots.push({ time: pbs.time.now(), files: {} });
    }, look);
    expect(grown).toMatchObject({
      status: 'pass',
      summary: expect.stringContaining('23 snapshots, nothing that was there before is missing'),
    });
    const loss = () => {
      unfenced();
      vm101().snapshots.splice(0, 2);
    };
    expect(await withFault(loss, look)).toMatchObject({ status: 'block' });
    const pruned = await withFault(() => {
      loss();
      pbs.startTask({ type: 'prunejob', id: 'tank:daily', store: 'tank', access: 'write', seconds: 1 });
    }, look);
    expect(pruned).toMatchObject({
      status: 'warn',
      summary: expect.stringMatching(/vm\/101 \(7 before, 5 now\); removed by prunejob tank:daily \(UPID:/),
    });
  });

  it('what is only new under the fence blocks, and a person may answer for it', async () => {
    const finding = await withFault(() => {
      tank().groups = [
        ...groupsOf(tank()),
        nightly({ type: 'vm', id: '900' }, { now: 1_700_000_000, count: 1 }),
      ];
    }, look);
    expect(finding).toMatchObject({ status: 'block', acceptable: ['tank: 1 group is new: vm/900'] });
  });

  it('a mount that the boot has healed, and a person has accepted: what was read from the folder below is not held against it', async () => {
    const accepted = [
      {
        id: 'verify.mounts',
        reason: 'new disk',
        said: ['tank lay on /, its folder is on /mnt/datastore/tank now'],
      },
    ];
    const finding = await withFault(
      () => {
        tank().groups = [];
      },
      () => look({ ...journal.state, accepted }),
    );
    expect(finding).toMatchObject({
      status: 'warn',
      summary: expect.stringContaining('tank was read from the folder below its mount before'),
    });
  });

  it('a run without an inventory warns, and one that has ended never blocks', async () => {
    expect(await look({ ...journal.state, inventory: null })).toMatchObject({ status: 'warn' });
    const ended = { outcome: 'patched', retryAfter: null, error: null, open: false } as const;
    const finding = await withFault(
      () => {
        tank().groups = groupsOf(tank()).filter(({ id }) => id !== '103');
      },
      () => look({ ...journal.state, ended }),
    );
    expect(finding).toMatchObject({
      status: 'warn',
      summary: expect.stringMatching(/^since \S+, the last run: tank: 1 group is gone: ct\/103/),
    });
  });
});

describe('the storages of PVE that lead here', () => {
  const finding = () => storagesFinding(host.answers(RUN), storages);
  const own = () => lab.cluster.storages.find(({ storage }) => storage === 'pbs01-tank');

  it('answer', async () => {
    expect(await finding()).toMatchObject({ status: 'pass', summary: '2 storages that lead here answer' });
  });

  it('of which one has a password that is not valid any more: it blocks, with what to look at', async () => {
    const storage = own();
    if (storage) storage.badPassword = true;
    const found = await finding().finally(() => {
      if (storage) storage.badPassword = false;
    });
    expect(found).toMatchObject({
      status: 'block',
      summary: expect.stringMatching(
        /^storage pbs01-tank of cluster main did not answer on node pve1: its user, password or datastore is not accepted/,
      ),
      fixes: [{ where: 'pve1', commands: expect.arrayContaining(['pvesm set pbs01-tank --password']) }],
    });
  });

  it('of which one did not answer before: it is not compared', async () => {
    const storage = own();
    if (storage) storage.badPassword = true;
    const before = storages.map((each) => ({ ...each, active: each.storage !== 'pbs01-tank' }));
    const found = await storagesFinding(host.answers(RUN), before).finally(() => {
      if (storage) storage.badPassword = false;
    });
    expect(found).toMatchObject({
      status: 'pass',
      summary: '1 storage that leads here answers; pbs01-tank of cluster main did not answer before either',
    });
  });
});
