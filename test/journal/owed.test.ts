import { describe, expect, it } from 'vitest';
import { next } from '../../src/journal/fold.js';
import { owedBy, owesReboot, postponementsOf } from '../../src/journal/owed.js';
import type { RunEvent } from '../../src/journal/records.js';
import type { RunState } from '../../src/journal/state.js';

const NONE = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
const SOME = { ...NONE, upgraded: [{ name: 'libc6', from: '1', to: '2' }] };
const boot = { bootTime: 1, bootId: null };
type Started = Extract<RunEvent, { type: 'started' }>;

let count = 0;
/** A run that ended so, after these events. */
function run(
  outcome: Extract<RunEvent, { type: 'ended' }>['outcome'],
  { open = false, ...started }: Partial<Started> & { readonly open?: boolean } = {},
  ...events: RunEvent[]
): RunState {
  count += 1;
  return [
    { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false, ...started } as const,
    ...events,
    { type: 'ended', outcome, retryAfter: null, error: null, open } as const,
  ].reduce<RunState | null>(
    (state, event) =>
      next(state, { v: 1, run: `run${count}`, at: new Date(count * 60_000).toISOString(), event }),
    null,
  ) as RunState;
}
/** What the next run would be told, as `patch` does after each of them. */
const following = (runs: RunState[], outcome: Parameters<typeof run>[0], ...events: RunEvent[]) => [
  ...runs,
  run(outcome, owedBy(runs), ...events),
];

const UPGRADED: RunEvent[] = [{ type: 'upgrade-intended' }, { type: 'upgraded', packages: SOME }];
const NOTHING: RunEvent[] = [{ type: 'upgraded', packages: NONE }];
const REQUESTED: RunEvent = { type: 'reboot-intended', boot };
const BACK: RunEvent = { type: 'rebooted', boot };
const found = (owes: string | null): RunEvent => ({ type: 'boot-found', boot, owes });

describe('a reboot', () => {
  it.each`
    outcome             | owed     | events                                                     | owes     | because
    ${'patched'}        | ${true}  | ${[...UPGRADED, REQUESTED, BACK]}                          | ${false} | ${'it has booted'}
    ${'patched'}        | ${false} | ${UPGRADED}                                                | ${false} | ${'nothing that it upgraded needs one'}
    ${'patched'}        | ${true}  | ${NOTHING}                                                 | ${true}  | ${'the policy of that run was never to reboot'}
    ${'reboot-pending'} | ${false} | ${UPGRADED}                                                | ${true}  | ${'it says so'}
    ${'reboot-pending'} | ${false} | ${[...UPGRADED, found('a new kernel')]}                    | ${true}  | ${'what came after the boot of another needs one'}
    ${'patched'}        | ${false} | ${[...UPGRADED, found(null)]}                              | ${false} | ${'another has booted it'}
    ${'postponed'}      | ${true}  | ${[]}                                                      | ${true}  | ${'the host has not booted'}
    ${'failed'}         | ${true}  | ${[]}                                                      | ${true}  | ${'the host has not booted'}
    ${'failed'}         | ${false} | ${[]}                                                      | ${false} | ${'nothing has changed'}
    ${'abandoned'}      | ${false} | ${UPGRADED}                                                | ${true}  | ${'it was given up with its packages upgraded'}
    ${'abandoned'}      | ${false} | ${[...UPGRADED, REQUESTED]}                                | ${true}  | ${'nothing has shown that the host went down'}
    ${'abandoned'}      | ${true}  | ${[...UPGRADED, REQUESTED, BACK]}                          | ${false} | ${'it has booted'}
    ${'abandoned'}      | ${false} | ${[...UPGRADED, REQUESTED, BACK, { type: 'rolled-back' }]} | ${false} | ${'nothing of the run is left'}
  `('is owed after $outcome: $owes, since $because', ({ outcome, owed, events, owes }) => {
    expect(owesReboot(run(outcome, { owesReboot: owed }, ...events))).toBe(owes);
  });

  it('is not forgotten because a run fails or is postponed in between, nor once that run alone is left', () => {
    let runs = following([], 'reboot-pending', ...UPGRADED);
    for (const outcome of ['failed', 'postponed', 'abandoned'] as const) runs = following(runs, outcome);
    expect(owedBy(runs).owesReboot).toBe(true);
    expect(owedBy(runs.slice(-1)).owesReboot).toBe(true);
    expect(owedBy(following(runs, 'patched', ...NOTHING, REQUESTED, BACK)).owesReboot).toBe(false);
  });

  it('is not owed by a host of which nothing is known', () => expect(owedBy([]).owesReboot).toBe(false));
});

describe('a fence', () => {
  const FENCED: RunEvent[] = ['tank', 'vault'].map((datastore) => ({ type: 'fenced', datastore }));
  it('of a run that was given up belongs to the next one, until it is lifted', () => {
    const given = run('abandoned', {}, ...FENCED, { type: 'unfenced', datastore: 'vault' });
    const inherits = [{ run: given.runId, datastore: 'tank' }];
    expect(owedBy([given, run('postponed')]).inherits).toEqual(inherits);
    expect(run('patched', { inherits }, { type: 'unfenced', datastore: 'tank' }).inherited).toEqual([]);
  });
  it('of a run that is continued is its own', () => {
    expect(owedBy([run('unverified', { open: true }, ...FENCED)]).inherits).toEqual([]);
  });
});

describe('postponements in a row', () => {
  it('are counted although the journals between them are gone', () => {
    let runs: RunState[] = [run('patched')];
    const counts: number[] = [];
    for (let each = 0; each < 6; each += 1) {
      counts.push(owedBy(runs).postponed?.count ?? Number.NaN);
      runs = following(runs, 'postponed').slice(-2);
    }
    expect(counts).toEqual([0, 1, 2, 3, 4, 5]);
    expect(postponementsOf(runs)).toMatchObject({ count: 6 });
  });

  it('begin when the first of them did, and end with any other run', () => {
    const first = run('postponed', { postponed: { count: 0, since: null } });
    const runs = following([first], 'postponed');
    expect(postponementsOf(runs)).toEqual({ count: 2, since: first.startedAt });
    expect(postponementsOf(following(runs, 'patched'))).toEqual({ count: 0, since: null });
    expect(postponementsOf([...runs, run('checked', { mode: 'check' })])).toMatchObject({ count: 2 });
  });

  it('of journals that do not count are as many as there are', () => {
    const old = [run('patched'), run('postponed'), run('postponed'), run('postponed')];
    expect(postponementsOf(old)).toEqual({ count: 3, since: old[1]?.startedAt });
  });
});
