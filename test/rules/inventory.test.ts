import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GroupLine } from '../../src/journal/inventory.js';
import { compareGroups, inWords, linesOf, namespaceOf, settled } from '../../src/rules/inventory.js';
import { found, NEW, OLD, world } from '../../trials/stored-groups.js';

const OWNER = 'pve@pbs!main';
const line = (group: string, count: number, newest: number, owner = OWNER): GroupLine => [
  group,
  owner,
  count,
  newest,
];
const BEFORE = [line('ct/103', 2, 900), line('vm/101', 7, 1000)];

const differences = (now: readonly GroupLine[], exact = true) =>
  compareGroups(BEFORE, now, exact).differences.map(({ what, group }) => `${group} ${what}`);

describe('the groups of a namespace before and after', () => {
  it.each`
    now                                                              | exact    | differs                           | because
    ${BEFORE}                                                        | ${true}  | ${[]}                             | ${'nothing has changed'}
    ${[line('vm/101', 7, 1000)]}                                     | ${true}  | ${['ct/103 gone']}                | ${'a group is gone'}
    ${[line('vm/101', 7, 1000)]}                                     | ${false} | ${['ct/103 gone']}                | ${'growth is allowed, loss is not'}
    ${[]}                                                            | ${true}  | ${['ct/103 gone', 'vm/101 gone']} | ${'the datastore is empty'}
    ${[line('ct/103', 2, 900), line('vm/101', 6, 1000)]}             | ${true}  | ${['vm/101 fewer']}               | ${'a snapshot is gone'}
    ${[line('ct/103', 2, 900), line('vm/101', 6, 930)]}              | ${true}  | ${['vm/101 fewer']}               | ${'an older state of the disk'}
    ${[line('ct/103', 2, 900), line('vm/101', 8, 1100)]}             | ${true}  | ${['vm/101 more']}                | ${'nothing may come under the fence'}
    ${[line('ct/103', 2, 900), line('vm/101', 8, 1100)]}             | ${false} | ${[]}                             | ${'without it a backup may'}
    ${[line('ct/103', 2, 900), line('vm/101', 7, 1100)]}             | ${true}  | ${['vm/101 replaced']}            | ${'as many, and not the same'}
    ${[line('ct/103', 2, 900), line('vm/101', 7, 1100)]}             | ${false} | ${['vm/101 fewer']}               | ${'one came, so one of before is missing'}
    ${[line('ct/103', 2, 900, 'root@pam'), line('vm/101', 7, 1000)]} | ${true}  | ${['ct/103 owner']}               | ${'another owner'}
    ${[line('ct/103', 2, 900, 'root@pam'), line('vm/101', 7, 1000)]} | ${false} | ${['ct/103 owner']}               | ${'another owner cannot back up there'}
    ${[...BEFORE, line('vm/102', 1, 1100)]}                          | ${true}  | ${['vm/102 new']}                 | ${'a group is new'}
    ${[...BEFORE, line('vm/102', 1, 1100)]}                          | ${false} | ${[]}                             | ${'without the fence a group may come'}
  `('differ as $differs: $because (exact: $exact)', ({ now, exact, differs }) => {
    expect(differences(now, exact)).toEqual(differs);
  });

  it('are named exactly, those that differ alike together', () => {
    const gone = ['vm/101', 'vm/102', 'vm/103'].map((group) => ({
      what: 'gone' as const,
      group,
      detail: null,
    }));
    const fewer = { what: 'fewer' as const, group: 'ct/9', detail: '7 before, 6 now' };
    expect(inWords('tank', 'prod', [...gone, fewer])).toEqual([
      'tank: 3 groups of namespace prod are gone: vm/101, vm/102, vm/103',
      'tank: 1 group of namespace prod has fewer snapshots: ct/9 (7 before, 6 now)',
    ]);
    const many = Array.from({ length: 8 }, (_, index) => ({ ...fewer, group: `vm/${index}`, detail: null }));
    expect(inWords('tank', '', many)).toEqual([
      'tank: 8 groups have fewer snapshots: vm/0, vm/1, vm/2, vm/3, vm/4 and 3 more',
    ]);
  });
});

describe('traps of the lists of PBS', () => {
  const listed = (more: object) => ({ type: 'vm', id: '101', owner: OWNER, count: 7, newest: 1000, ...more });

  it('(1) 3.4.8 and 4.0.17 begin to list empty groups: count 0 is no group', () => {
    const empty = listed({ id: '102', count: 0, newest: 0 });
    expect(linesOf([empty, listed({})])).toEqual(linesOf([listed({})]));
  });

  it('(2) older versions name an unfinished snapshot as the newest: the snapshots of that group decide', () => {
    const before = [line('vm/101', 7, 2000)];
    const { differences: none, doubts } = compareGroups(before, [line('vm/101', 7, 1000)], true);
    expect([none, doubts]).toEqual([[], [{ group: 'vm/101', newest: 2000 }]]);
    const [doubt] = doubts;
    if (!doubt) throw new Error('no doubt');
    expect(settled(doubt, [500, 1000, 2000])).toBeNull();
    expect(settled(doubt, [400, 500, 1000])).toMatchObject({ what: 'older', group: 'vm/101' });
  });

  it('(3) a group whose owner cannot be read is left out: fewer is a block', () => {
    expect(differences([line('ct/103', 2, 900)])).toEqual(['vm/101 gone']);
  });

  it('(8) one disk, two listings: their order makes no difference', () => {
    const [one, other] = [listed({}), listed({ type: 'ct', id: '103' })];
    expect(namespaceOf('', linesOf([one, other]))).toEqual(namespaceOf('', linesOf([other, one])));
  });
});

describe('over any pair of versions', () => {
  const versions = fc.constantFrom({ from: OLD, to: OLD }, { from: OLD, to: NEW }, { from: NEW, to: NEW });

  it('a healthy world is equal, in whatever order it is listed', () => {
    fc.assert(
      fc.property(world, world, versions, (groups, _, pair) => {
        expect(found(groups, groups.toReversed(), pair)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('a snapshot that is gone is found, whichever it is', () => {
    fc.assert(
      fc.property(world, fc.nat(), versions, (groups, which, pair) => {
        const all = groups.flatMap((group) => group.snapshots.map((snapshot) => ({ group, snapshot })));
        const lost = all[which % Math.max(all.length, 1)];
        if (!lost) return;
        const left = groups.map((group) =>
          group === lost.group
            ? { ...group, snapshots: group.snapshots.filter((each) => each !== lost.snapshot) }
            : group,
        );
        for (const exact of [true, false]) expect(found(groups, left, { ...pair, exact })).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });
});
