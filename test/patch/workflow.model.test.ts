import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runsOf } from '../../src/patch/journal.js';
import { isUnfinished, type RunState } from '../../src/patch/state.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { WRITES } from './model/clients.js';
import { type Fate, type Moment, patch } from './model/controller.js';
import { AT_ANY_TIME, BETWEEN_RUNS, type Event, mend, SIGTERM } from './model/events.js';
import { HOUR, Servers } from './model/servers.js';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'pbs-ctl-model-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const HEALTHY: Fate = { killAt: null, mishaps: [], events: [], diskFullAt: null };
/** Of a healthy run, and some more for one that goes on. */
const [REQUESTS, LINES] = [200, 50];

interface Real {
  readonly servers: Servers;
  readonly clock: VirtualClock;
  readonly stateDir: string;
  runs: number;
}
/** What has to come of a run to which nothing happens. */
interface Model {
  /** A run is to be gone on with. */
  unfinished: boolean;
}
type Command = fc.AsyncCommand<Model, Real>;

const unfinishedIn = ({ stateDir }: Real) => runsOf(stateDir, 'pbs01').findLast(isUnfinished);
const moment = ({ after, plus }: Moment) => `${plus} requests after ${after}`;
const word = ({ killAt, mishaps, events, diskFullAt }: Fate) =>
  [
    'patch',
    ...(killAt
      ? [`killed ${killAt.side} ${'after' in killAt ? moment(killAt) : `write ${killAt.write}`}`]
      : []),
    ...mishaps.map((each) => `request ${each.kind} ${moment(each)}`),
    ...events.map((each) => `${each.name} ${moment(each)}`),
    ...(diskFullAt === null ? [] : [`disk full at write ${diskFullAt}`]),
  ].join(', ');

class Patch implements Command {
  readonly #fate: Fate;
  constructor(fate: Fate) {
    this.#fate = fate;
  }
  check = () => true;
  toString = () => word(this.#fate);

  async run(model: Model, real: Real): Promise<void> {
    const { servers, clock, stateDir } = real;
    const mayPass = servers.isClear && Math.abs(clock.now() - servers.time) < 20_000 && !model.unfinished;
    const answered = servers.answers;
    real.runs += 1;
    const run = await patch(servers, clock, stateDir, `run${real.runs}`, this.#fate);
    expect(servers.violations).toEqual([]);
    if (run) this.#judge(run, real, { mayPass, answered });
    model.unfinished = unfinishedIn(real) !== undefined;
  }

  #judge(
    run: RunState,
    { servers }: Real,
    { mayPass, answered }: { mayPass: boolean; answered: boolean },
  ): void {
    const { outcome, error } = run.ended ?? {};
    const reboots = servers.rebootsOf.get(run.runId) ?? 0;
    const fences = servers.fencesOf(run.runId);
    const holdsLock = servers.lockRuns.includes(run.runId);
    const told = { outcome, error: error?.code, fences, holdsLock };
    expect(outcome, 'a run that was not killed has an end').toBeDefined();
    expect(error?.code, error?.message).not.toBe('internal');
    const undisturbed = word(this.#fate) === 'patch';
    if (undisturbed && mayPass)
      expect({ outcome, reboots, why: error?.message }).toMatchObject({ outcome: 'patched', reboots: 1 });
    // Also on a disk that is full. Where requests go astray it may be impossible, and has to be told.
    const quiet = this.#fate.mishaps.length + this.#fate.events.length === 0 && answered && servers.answers;
    const before = run.upgrade === 'not-begun' || outcome === 'reboot-pending' || outcome === 'patched';
    if (quiet && before) expect(told, 'G5').toMatchObject({ fences: [], holdsLock: false });
    // What is left behind is in the report.
    expect(run.fenced, JSON.stringify(told)).toEqual(expect.arrayContaining(fences));
    if (holdsLock) expect(run.locks, JSON.stringify(told)).toEqual(['main']);
    const asked = servers.askedAt.get(run.runId);
    if (outcome === 'patched' && asked !== undefined)
      expect(servers.bootedAt, 'it has booted since').toBeGreaterThan(asked);
    if (outcome === 'patched')
      expect({ fences, booted: run.reboot?.upAt != null }).toEqual({ fences: [], booted: true });
    if (outcome === 'unverified' && !servers.liftedByHand) expect(fences, 'G4').toEqual(run.fenced);
  }
}

class Meanwhile implements Command {
  readonly #event: Event;
  constructor(event: Event) {
    this.#event = event;
  }
  check = () => true;
  toString = () => this.#event.name;
  async run(_: Model, { servers, clock }: Real): Promise<void> {
    this.#event.act({ servers, clock, signal: () => {} });
  }
}

const plain = (name: string, act: (model: Model, real: Real) => Promise<void> | void): Command => ({
  check: () => true,
  run: async (model, real) => act(model, real),
  toString: () => name,
});

/** The decisive moments lie at and around what is changed. */
const when: fc.Arbitrary<Moment> = fc.oneof(
  fc.record({ after: fc.constant('the beginning' as const), plus: fc.nat({ max: REQUESTS }) }),
  fc.record({ after: fc.constantFrom(...WRITES), plus: fc.nat({ max: 2 }) }),
  fc.record({ after: fc.constantFrom(...WRITES), plus: fc.nat({ max: 30 }) }),
);
const side = fc.constantFrom('before' as const, 'after' as const);
const fate: fc.Arbitrary<Fate> = fc.record({
  killAt: fc.option(
    fc.oneof(
      fc.tuple(when, side).map(([at, each]) => ({ ...at, side: each })),
      fc.record({ write: fc.integer({ min: 1, max: LINES }), side }),
    ),
  ),
  mishaps: fc.array(
    fc
      .tuple(when, fc.constantFrom('lost' as const, 'unheard' as const))
      .map(([at, kind]) => ({ ...at, kind })),
    { maxLength: 2 },
  ),
  events: fc.array(
    fc.tuple(when, fc.constantFrom(...AT_ANY_TIME, SIGTERM)).map(([at, event]) => ({ ...at, ...event })),
    { maxLength: 3 },
  ),
  diskFullAt: fc.option(fc.integer({ min: 1, max: LINES }), { freq: 6 }),
});

const commands = fc.commands(
  [
    ...Array.from({ length: 3 }, () => fc.constant(new Patch(HEALTHY))),
    ...Array.from({ length: 6 }, () => fate.map((drawn) => new Patch(drawn))),
    ...[...AT_ANY_TIME, ...BETWEEN_RUNS].map((event) => fc.constant(new Meanwhile(event))),
    ...Array.from({ length: 8 }, () =>
      fc.constant(
        plain('everything is mended', async (_, real) => {
          mend(real, unfinishedIn(real)?.runId ?? null);
          await real.clock.pass(2 * HOUR);
        }),
      ),
    ),
    ...[1, 30, 120].map((minutes) =>
      fc.constant(plain(`${minutes} minutes pass`, (_, { clock }) => clock.pass(minutes * 60_000))),
    ),
    fc.constant(
      plain('the state directory is wiped', (model, { stateDir }) => {
        rmSync(stateDir, { recursive: true, force: true });
        model.unfinished = false;
      }),
    ),
  ],
  { maxCommands: 12, size: 'max' },
);

describe('the workflow, in arbitrary order of what can happen to it', () => {
  it('breaks no guarantee, tells what it leaves behind, and comes to its end when everything is mended', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (drawn) => {
        const clock = new VirtualClock();
        const servers = new Servers(clock);
        const real: Real = { servers, clock, stateDir: mkdtempSync(join(scratch, 's-')), runs: 0 };
        const model: Model = { unfinished: false };
        await fc.asyncModelRun(() => ({ model, real }), drawn);
        for (let tries = 0; tries < 3; tries += 1) {
          mend(real, unfinishedIn(real)?.runId ?? null);
          await clock.pass(2 * HOUR);
          real.runs += 1;
          const run = await patch(servers, clock, real.stateDir, `run${real.runs}`, HEALTHY);
          expect(servers.violations).toEqual([]);
          if (run?.ended?.outcome === 'patched') return;
          // Asked for, by what is on disk, and it has provably not happened: only a person may do it now.
          if (run?.ended?.error?.code === 'reboot.not-down') servers.goDown(0);
          else if (tries > 0) expect(run?.ended).toMatchObject({ outcome: 'patched' });
        }
        expect.unreachable('three runs on mended systems did not end patched');
      }),
      {
        numRuns: Number(process.env.MODEL_RUNS ?? 60),
        ...(process.env.MODEL_SEED ? { seed: Number(process.env.MODEL_SEED) } : {}),
      },
    );
  });
});
