import { describe, expect, it } from 'vitest';
import type { Maintenance } from '../../src/api/pbs.js';
import { Journal } from '../../src/journal/journal.js';
import { documentOf } from '../../src/journal/runs.js';
import { fence, unfence, unfenceAll } from '../../src/patch/fence.js';
import type { Run } from '../../src/patch/run.js';
import { VirtualClock } from '../support/virtual-clock.js';

const fenceOf = (run: string): Maintenance => ({
  type: 'read-only',
  message: `pbs-ctl run ${run} since then`,
});

/** A run that holds its lock, and the modes of the datastores of its host. */
function runWith(modes: Record<string, Maintenance | null>, tookOver: string[] = []) {
  const clock = new VirtualClock();
  const first = { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false } as const;
  const journal = Journal.inMemory('k3f9x2', clock, first);
  journal.append({ type: 'locked', cluster: 'main', expiresAt: 1, tookOver });
  const pbs = {
    datastoreConfigs: async () => ({
      datastores: Object.entries(modes).map(([name, maintenance]) => ({ name, maintenance, path: '/' })),
      digest: '',
    }),
    setMaintenance: async (name: string, mode: Maintenance | null) => {
      modes[name] = mode;
    },
  };
  const run = {
    host: { pbs, target: { host: 'pbs01', policy: { fence: 'read-only' } } },
    ...{ journal, clock, lease: { confirm: async () => {} } },
    interruption: { throwIfStopped: () => {} },
    reporter: { emit: () => {} },
  };
  const report = () => documentOf(journal.state, { count: 0, since: null });
  return { run: run as unknown as Run, modes, report };
}

describe('the fence of a run whose lock was taken over', () => {
  it('stays as it is until this run is verified, and is lifted then', async () => {
    const { run, modes, report } = runWith({ tank: fenceOf('old1'), vault: null }, ['old1']);
    await fence(run);
    expect(modes.tank).toEqual(fenceOf('old1'));
    expect(modes.vault?.message).toContain('k3f9x2');
    expect(report().leftBehind.fenced).toEqual(['vault', 'tank']);
    await unfence(run);
    expect(modes).toEqual({ tank: fenceOf('old1'), vault: null });
    await unfenceAll(run);
    expect(modes).toEqual({ tank: null, vault: null });
    expect(report().leftBehind).toEqual({ fenced: [], locks: ['main'] });
  });
});

describe('what still refuses backups when a run has lifted its own fence', () => {
  it('is named: a fence of another run in what is left behind, a mode of another user as a warning', async () => {
    const audit = { type: 'read-only', message: 'audit' } as Maintenance;
    const { run, modes, report } = runWith({ tank: fenceOf('other1'), vault: audit, spare: null });
    await fence(run);
    await unfenceAll(run);
    await unfenceAll(run);
    expect(modes).toEqual({ tank: fenceOf('other1'), vault: audit, spare: null });
    const { leftBehind, warnings } = report();
    expect(leftBehind).toEqual({
      ...{ fenced: ['tank'], locks: ['main'] },
      otherRuns: [{ run: 'other1', datastore: 'tank' }],
    });
    expect(warnings).toEqual([
      'tank still refuses backups: it is fenced by run other1. Once that has ended:\npbs-ctl recover --host pbs01 --lift-fence',
      'vault stays in maintenance mode read-only, which another user set',
    ]);
    modes.tank = null;
    await unfenceAll(run);
    expect(report().leftBehind.fenced).toEqual([]);
  });
});
