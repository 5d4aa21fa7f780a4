import { describe, expect, it } from 'vitest';
import type { Host } from '../../src/host/open.js';
import type { RunState } from '../../src/journal/state.js';
import { hasEndedElsewhere } from '../../src/patch/ended-elsewhere.js';
import { requireLeaseOver } from '../../src/patch/lease-over.js';

const NOW = 1_764_000_000;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const TTL = 7200;

/** A host with one cluster, as far as a run looks at it that is to be resumed. */
function hostWith({
  tags = [] as string[],
  fence = null as string | null,
  bootId = 'b1' as string | null,
  bootTime = NOW - 9000,
}) {
  const lock = {
    prefix: 'pbs-ctl-lock',
    store: { place: 900, now: async () => NOW },
    around: { look: async () => [{ place: 901, tags }] },
  };
  const maintenance = fence === null ? null : { type: 'read-only', message: `pbs-ctl run ${fence} since x` };
  const host = {
    target: { host: 'pbs01' },
    clusters: [{ config: { lock: { ttl: TTL * 1000 } }, lock }],
    pbs: { datastoreConfigs: async () => ({ datastores: [{ name: 'tank', maintenance }], digest: '' }) },
    answers: () => ({
      target: { guest: bootId === null ? null : { cluster: 'main', vmid: 900 } },
      pbs: {
        nodeStatus: async () => ({ uptimeSeconds: NOW - bootTime }),
        time: async () => ({ epochSeconds: NOW }),
      },
      survey: async () => ({ bootId }),
    }),
  };
  return host as unknown as Host;
}
const tag = (run: string, expiresAt: number) => `pbs-ctl-lock+pbs01+${run}+${expiresAt}`;

describe('a run that may be at work in a process that cannot be asked', () => {
  it.each`
    what                                            | tags                     | silent     | ended    | free
    ${'holds its lock'}                             | ${[tag('r1', NOW + 60)]} | ${99_999}  | ${false} | ${false}
    ${'held a lock that has expired'}               | ${[tag('r1', NOW - 1)]}  | ${0}       | ${false} | ${true}
    ${'has no lock, and was heard of a moment ago'} | ${[]}                    | ${60}      | ${false} | ${false}
    ${'has no lock, only another run has one'}      | ${[tag('r2', NOW + 60)]} | ${60}      | ${false} | ${false}
    ${'has no lock, and is silent for as long'}     | ${[]}                    | ${TTL + 1} | ${false} | ${true}
    ${'has written its end'}                        | ${[tag('r1', NOW + 60)]} | ${0}       | ${true}  | ${true}
  `('that $what: may be resumed: $free', async ({ tags, silent, ended, free }) => {
    const run = { runId: 'r1', lastAt: iso(NOW - silent), ended: ended ? ({} as RunState['ended']) : null };
    const clock = { now: () => NOW * 1000 };
    const asked = requireLeaseOver(hostWith({ tags }), run, 'process 7 of there', clock);
    if (free) await asked;
    else await expect(asked).rejects.toMatchObject({ code: 'state.unknown-process', exitCode: 75 });
  });
});

describe('a run that is unfinished by a journal that was restored', () => {
  const run = {
    runId: 'r1',
    bootBefore: { boot: { bootTime: NOW - 90_000, bootId: 'b0' }, seenAt: iso(NOW - 9999) },
    reboot: null,
    locks: ['main'],
    fenced: ['tank'],
  } as unknown as RunState;
  it.each`
    what                                           | host                                           | journal                                                           | over
    ${'another boot, no lock, no fence'}           | ${{}}                                          | ${{}}                                                             | ${true}
    ${'the boot of before'}                        | ${{ bootId: 'b0' }}                            | ${{}}                                                             | ${false}
    ${'its lock, expired, on another guest'}       | ${{ tags: [tag('r1', NOW - 1)] }}              | ${{}}                                                             | ${false}
    ${'its fence'}                                 | ${{ fence: 'r1' }}                             | ${{}}                                                             | ${false}
    ${'the lock and fence of another run'}         | ${{ tags: [tag('r2', NOW + 9)], fence: 'r2' }} | ${{}}                                                             | ${true}
    ${'another boot by its time alone'}            | ${{ bootId: null }}                            | ${{}}                                                             | ${true}
    ${'the same boot by its time, a clock apart'}  | ${{ bootId: null, bootTime: NOW - 90_020 }}    | ${{}}                                                             | ${false}
    ${'nothing, and nothing of it by the journal'} | ${{}}                                          | ${{ locks: [], fenced: [] }}                                      | ${false}
    ${'the boot that it has requested'}            | ${{}}                                          | ${{ reboot: { before: { bootTime: NOW - 9000, bootId: 'b1' } } }} | ${false}
  `('with $what on the servers: has ended: $over', async ({ host, journal, over }) => {
    expect(await hasEndedElsewhere(hostWith(host), { ...run, ...journal })).toBe(over);
  });
});
