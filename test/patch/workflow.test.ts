import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Fate, HEALTHY, type Process, patch } from './model/controller.js';
import { HOUR, Servers } from './model/servers.js';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'pbs-ctl-run-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Lines that the journal of a healthy run has, and a few more. */
const LINES = 50;

describe('a run', () => {
  const begin = () => {
    const clock = new VirtualClock();
    const servers = new Servers(clock);
    const stateDir = mkdtempSync(join(scratch, 'r-'));
    let runs = 0;
    const go = (changes: Partial<Fate> = {}) => {
      runs += 1;
      return patch(servers, clock, stateDir, `run${runs}`, { ...HEALTHY, ...changes });
    };
    return { servers, clock, go };
  };

  it('that died with its lock just taken gives it back when the next one is postponed', async () => {
    const { servers, go } = begin();
    expect(await go({ killAt: { after: 'lock', plus: 0, side: 'after' } })).toBeNull();
    expect(servers.lockRuns).toEqual(['run1']);
    servers.backup = true;
    expect((await go())?.ended).toMatchObject({ outcome: 'postponed', open: false });
    expect(servers.lockRuns).toEqual([]);
  });

  it('whose upgrade failed halfway, and was finished by hand, reports everything that has changed since it began', async () => {
    const { servers, go } = begin();
    const cutOff = ({ servers: host }: Process) => {
      host.pending = 1;
      for (const task of host.tasks) task.lost = true;
    };
    const failed = await go({ events: [{ after: 'upgrade', plus: 2, name: 'cut off', act: cutOff }] });
    expect(failed).toMatchObject({ upgrade: 'failed', ended: { open: true } });
    expect(failed?.changes?.upgraded).toHaveLength(1);
    servers.pending = 0;
    const resumed = await go();
    expect(resumed?.ended?.outcome).toBe('patched');
    expect(resumed?.changes?.upgraded.map(({ name }) => name)).toEqual(['package0', 'package1']);
  });

  it('whose disk fills up before the upgrade undoes lock and fence all the same', async () => {
    for (let line = 2; ; line += 1) {
      const { servers, go } = begin();
      const run = await go({ diskFullAt: line });
      if (run?.upgrade !== 'not-begun') break;
      expect(run.ended).toMatchObject({ outcome: 'failed', error: { code: 'state.unwritable' } });
      const behind = [...servers.fencesOf('run1'), ...servers.lockRuns];
      expect({ line, behind, upgraded: servers.pending === 0 }).toEqual({
        line,
        behind: [],
        upgraded: false,
      });
      expect((await go())?.ended, `after line ${line}`).toMatchObject({ outcome: 'patched' });
      expect(line).toBeLessThan(LINES);
    }
  });

  it('whose disk fills up at any later line is ended by the next one, with one reboot at most', async () => {
    for (let line = LINES; line > 20; line -= 1) {
      const { servers, go, clock } = begin();
      await go({ diskFullAt: line });
      const second = await go();
      // With the intent on disk in part only nothing was asked for: then the second run has rebooted.
      expect(servers.violations).toEqual([]);
      expect([...servers.rebootsOf.values()]).toEqual([1]);
      if (second?.ended?.outcome === 'patched') continue;
      // The first had ended, and booted the host just now.
      expect(second?.ended?.outcome).toBe('postponed');
      await clock.pass(2 * HOUR);
      expect((await go())?.ended).toMatchObject({ outcome: 'patched' });
    }
  });

  it('that goes on after the reboot tells of a lock that it may have taken, and the next one gives it back', async () => {
    let taken = 0;
    for (let line = 30; line < LINES; line += 1) {
      const { servers, go, clock } = begin();
      await go({ diskFullAt: line });
      // The write of the lock arrives, and the look at it does not.
      const run = await go({ mishaps: [{ after: 'lock', plus: 1, kind: 'lost' }] });
      const holds = run !== null && servers.lockRuns.includes(run.runId);
      if (holds) {
        taken += 1;
        expect({ line, locks: run.locks, open: run.ended?.open }).toEqual({
          line,
          locks: ['main'],
          open: true,
        });
      }
      await clock.pass(2 * HOUR);
      expect((await go())?.ended, `line ${line}`).toMatchObject({ outcome: 'patched' });
      expect(servers.lockRuns).toEqual([]);
    }
    expect(taken).toBeGreaterThan(0);
  });

  it.each([
    ['lost', 0, 'reboot.not-down'],
    ['unheard', 1, 'patched'],
    ['garbled', 1, 'patched'],
  ] as const)('whose request to reboot is %s asks no second time', async (kind, arrived, end) => {
    const { servers, go } = begin();
    const run = await go({ mishaps: [{ after: 'reboot', plus: 0, kind }] });
    expect(run?.ended?.error?.code ?? run?.ended?.outcome).toBe(end);
    await go();
    expect(servers.rebootsOf.get('run1') ?? 0).toBe(arrived);
  });

  it.each([
    'unheard',
    'garbled',
  ] as const)('whose start of the upgrade is %s looks what has come of it', async (kind) => {
    const { servers, go } = begin();
    const run = await go({ mishaps: [{ after: 'upgrade', plus: 0, kind }] });
    expect(run?.ended).toMatchObject({ outcome: 'patched' });
    expect(servers.tasks.filter(({ type }) => type === 'srvstart')).toHaveLength(1);
  });

  it.each([
    -600, 600,
  ])('takes no clock that is set by %i s for a boot, nor a boot for a clock', async (seconds) => {
    const step = (process: Process) => {
      process.servers.skew += seconds * 1000;
      process.clock.step(seconds * 1000);
    };
    const stepped = { after: 'reboot', plus: 1, name: 'clocks are set', act: step } as const;
    const deaf = begin();
    deaf.servers.deaf = true;
    expect((await deaf.go({ events: [stepped] }))?.ended?.outcome).toBe('failed');
    const { servers, go } = begin();
    const run = await go({ events: [stepped] });
    expect({ outcome: run?.ended?.outcome, why: run?.ended?.error }).toEqual({
      outcome: 'patched',
      why: null,
    });
    expect(servers.violations).toEqual([]);
  });

  describe.each([
    ['fresh', null, 0],
    ['resumed under its fence', { after: 'fence', plus: 2, side: 'after' }, 0],
    ['resumed days later', { after: 'refresh', plus: 1, side: 'after' }, 72],
  ] as const)('that is %s', (_, killAt, hours) => {
    it('begins no upgrade under a restore that began during the refresh', async () => {
      const { servers, go, clock } = begin();
      if (killAt) expect(await go({ killAt })).toBeNull();
      await clock.pass(hours * HOUR);
      const restore = ({ servers: host }: Process) => {
        host.backup = true;
      };
      const run = await go({
        events: [{ after: 'refresh', plus: 1, name: 'a restore begins', act: restore }],
      });
      expect(run?.ended).toMatchObject({ outcome: 'postponed', error: { code: 'not-safe' } });
      expect(servers.tasks.filter(({ type }) => type === 'srvstart')).toEqual([]);
      expect([...servers.fencesOf('run1'), ...servers.lockRuns]).toEqual([]);
    });
  });

  describe.each([
    ['attaches to its upgrade', 0],
    ['is resumed once its upgrade has ended', 0.1],
    ['is resumed days after its upgrade', 72],
  ] as const)('that %s', (_, hours) => {
    const killed = async () => {
      const all = begin();
      expect(await all.go({ killAt: { after: 'upgrade', plus: 1, side: 'after' } })).toBeNull();
      await all.clock.pass(hours * HOUR);
      return all;
    };

    it('requests no reboot while a datastore is in use, undoes fence and lock, and owes the reboot', async () => {
      const { servers, go } = await killed();
      servers.backup = true;
      expect((await go())?.ended).toMatchObject({
        outcome: 'reboot-pending',
        open: false,
        error: { code: 'reboot.no-longer-fits' },
      });
      expect([...servers.rebootsOf.values()]).toEqual([]);
      expect([...servers.fencesOf('run1'), ...servers.lockRuns]).toEqual([]);
    });

    it('leaves its fence up where a datastore has failed meanwhile', async () => {
      const { servers, go } = await killed();
      servers.sick = true;
      expect((await go())?.ended).toMatchObject({ outcome: 'failed', open: true });
      expect([...servers.rebootsOf.values()]).toEqual([]);
      expect(servers.fencesOf('run1')).toEqual(['tank', 'vault']);
    });
  });

  it('whose gate meets a server that is silent for a second asks again, and reboots', async () => {
    const ends: string[] = [];
    for (let plus = 1; plus < 30; plus += 1) {
      const { servers, go, clock } = begin();
      expect(await go({ killAt: { after: 'upgrade', plus: 1, side: 'after' } })).toBeNull();
      await clock.pass(HOUR);
      const cut = ({ servers: host }: Process) => {
        host.cutUntil = host.time + 1000;
      };
      const run = await go({ events: [{ after: 'lock', plus, name: 'silence', act: cut }] });
      ends.push(run?.ended?.error?.code ?? run?.ended?.outcome ?? '');
      expect([...servers.rebootsOf.values()].every((reboots) => reboots === 1)).toBe(true);
    }
    expect(ends).not.toContain('reboot.no-longer-fits');
    expect(ends.filter((end) => end === 'patched').length).toBeGreaterThan(15);
  });
});
