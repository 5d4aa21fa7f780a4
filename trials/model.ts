import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { RunDocument } from '../src/journal/document.js';
import { type Lab, startLab } from '../src/lab/lab.js';
import type { PbsTask } from '../src/lab/pbs/state.js';
import {
  Controller,
  documentIn,
  type Ended,
  inItsOwnProcess,
  patchArgs,
  type RunToEnd,
} from './controller.js';
import { hurry } from './crash.js';
import { Witness } from './witness.js';

const FACTOR = 100;
const HOUR = 3600;
const FOREIGN_LOCK = 'pbs-ctl-lock+pve-patching+r00001+';

/** What must be so, whatever was done in whatever order: the least that is needed to foretell a run. */
export interface Model {
  backup: boolean;
  foreignLock: boolean;
  /** Hosts boot at most once within `minRebootInterval` for the sake of a run. */
  bootedLately: boolean;
  /** An earlier run may have left something that the next one continues. */
  unfinished: boolean;
}

/** The lab with everything that a command needs, and what the servers saw. */
export interface Real {
  readonly lab: Lab;
  readonly witness: Witness;
  backup: PbsTask | null;
  /** The servers saw a request to reboot while the host had booted lately. */
  hasty: string[];
}

type Command = fc.AsyncCommand<Model, Real>;

/** A run, to its end or until so many requests were seen; then its process is killed. */
class Patch implements Command {
  readonly #killAt: number | null;
  readonly #run: RunToEnd;
  constructor(killAt: number | null, run: RunToEnd) {
    this.#killAt = killAt;
    this.#run = run;
  }

  check = () => true;

  async run(model: Model, { lab, witness, hasty }: Real): Promise<void> {
    const before = { reboots: witness.reboots, upgrades: witness.upgrades };
    const ended = await this.#patch(lab);
    // The machine may still be on its way when the process is dead.
    await settled(lab);
    const document = documentIn(ended);
    const reboots = witness.reboots - before.reboots;
    const upgrades = witness.upgrades - before.upgrades;
    expectThat(reboots <= 1, `G3: ${reboots} reboots in one go`);
    expectThat(hasty.length === 0, `G8: ${hasty.join(', ')}`);
    if (model.backup || model.foreignLock)
      expectThat(
        reboots + upgrades === 0,
        `G2: ${upgrades} upgrades, ${reboots} reboots while it was not safe`,
      );
    if (ended.signal === null) {
      if (!document) throw new Error(`no report: ${ended.stdout}${ended.stderr}`);
      this.#judge(document, model, reboots);
    }
    if (reboots > 0) model.bootedLately = true;
    model.unfinished = ended.signal !== null || !['patched', 'postponed'].includes(document?.outcome ?? '');
    expectThat(witness.violations.length === 0, witness.violations.join('; '));
  }

  async #patch(lab: Lab): Promise<Ended> {
    const args = patchArgs(lab.configPath);
    if (this.#killAt === null) return { ...(await this.#run(args)), signal: null };
    const controller = new Controller(args);
    let seen = 0;
    lab.setWeather(() => {
      seen += 1;
      if (seen === this.#killAt) controller.kill('SIGKILL');
      return null;
    });
    const ended = await controller.ended;
    lab.setWeather(() => null);
    return ended;
  }

  #judge({ outcome, error, leftBehind }: RunDocument, model: Model, reboots: number): void {
    expectThat(error?.code !== 'internal', `an internal error: ${error?.message}`);
    const blocked = model.backup || model.foreignLock;
    if (blocked) expectThat(outcome !== 'patched', `"patched" while it was not safe`);
    if (!model.unfinished && blocked)
      expectThat(
        leftBehind.fenced.length + leftBehind.locks.length === 0,
        `G5: ${outcome}, and left behind ${JSON.stringify(leftBehind)}`,
      );
    if (!model.unfinished && !blocked && !model.bootedLately)
      expectThat(
        outcome === 'patched' && reboots === 1,
        `nothing stood in the way, yet ${outcome}: ${error?.message}`,
      );
  }

  toString = () => (this.#killAt === null ? 'patch' : `patch, killed at request ${this.#killAt}`);
}

/** Something that others do between two runs. */
class Meanwhile implements Command {
  readonly #name: string;
  readonly #may: (model: Readonly<Model>) => boolean;
  readonly #act: (model: Model, real: Real) => void | Promise<void>;
  constructor(
    name: string,
    may: (model: Readonly<Model>) => boolean,
    act: (model: Model, real: Real) => void | Promise<void>,
  ) {
    this.#name = name;
    this.#may = may;
    this.#act = act;
  }
  check = (model: Readonly<Model>) => this.#may(model);
  run = async (model: Model, real: Real) => this.#act(model, real);
  toString = () => this.#name;
}

const carrierOf = ({ lab }: Real) => lab.cluster.guests.get(900);
const pbs01 = ({ lab }: Real) => {
  const host = lab.hosts.get('pbs01');
  if (!host) throw new Error('the lab has no pbs01');
  return host;
};
const tagsOf = (real: Real) => (carrierOf(real)?.config.tags ?? '').split(';').filter(Boolean);
const setTags = (real: Real, tags: string[]) => {
  const carrier = carrierOf(real);
  if (carrier) real.lab.cluster.storeTags(carrier, tags);
};

const MEANWHILE = [
  new Meanwhile(
    'a backup begins',
    ({ backup }) => !backup,
    (model, real) => {
      const host = pbs01(real);
      // Under a fence PBS refuses it.
      if (host.datastores.some(({ name, maintenance }) => name === 'tank' && maintenance !== null)) return;
      real.backup = host.startTask({
        type: 'backup',
        id: 'tank:vm/101',
        store: 'tank',
        access: 'write',
        seconds: null,
      });
      model.backup = true;
    },
  ),
  new Meanwhile(
    'the backup ends',
    ({ backup }) => backup,
    (model, real) => {
      if (real.backup) Object.assign(real.backup, { endedAt: Math.floor(Date.now() / 1000), status: 'OK' });
      model.backup = false;
    },
  ),
  new Meanwhile(
    'PVE patching takes the lock',
    ({ foreignLock }) => !foreignLock,
    (model, real) => {
      // It keeps to the lock, too: it waits while a run holds it.
      if (tagsOf(real).some((tag) => tag.startsWith('pbs-ctl-lock'))) return;
      setTags(real, [...tagsOf(real), `${FOREIGN_LOCK}${Math.floor(Date.now() / 1000) + HOUR}`]);
      model.foreignLock = true;
    },
  ),
  new Meanwhile(
    'PVE patching gives the lock back',
    ({ foreignLock }) => foreignLock,
    (model, real) => {
      setTags(
        real,
        tagsOf(real).filter((tag) => !tag.startsWith(FOREIGN_LOCK)),
      );
      model.foreignLock = false;
    },
  ),
  new Meanwhile(
    'another user erases all tags',
    ({ foreignLock }) => !foreignLock,
    (_, real) => setTags(real, ['pbs']),
  ),
  new Meanwhile(
    'another user reboots the host',
    ({ backup }) => !backup,
    async (model, real) => {
      real.hasty.length = 0;
      pbs01(real).machine.reset();
      await settled(real.lab);
      model.bootedLately = true;
    },
  ),
  new Meanwhile(
    'an hour passes on the host',
    () => true,
    (model, real) => {
      pbs01(real).machine.bootedAt -= 2 * HOUR;
      model.bootedLately = false;
    },
  ),
  new Meanwhile(
    'the state directory is wiped',
    ({ unfinished }) => !unfinished,
    (_, { lab }) => rmSync(join(lab.dir, 'state'), { recursive: true, force: true }),
  ),
];

/** Commands in an arbitrary order. */
export const commands = (most: number, run: RunToEnd = inItsOwnProcess) =>
  fc.commands(
    [
      // Every other command is a run: what others do matters by what it does to runs.
      ...Array.from({ length: 4 }, () => fc.constant(new Patch(null, run))),
      ...Array.from({ length: 4 }, () =>
        fc.integer({ min: 1, max: 260 }).map((killAt) => new Patch(killAt, run)),
      ),
      ...MEANWHILE.map((each) => fc.constant(each)),
    ],
    { maxCommands: most, size: 'max' },
  );

/** Plays them in a fresh lab. @throws Error with what was broken */
export async function playModel(drawn: Iterable<Command>): Promise<void> {
  const lab = await startLab({ factor: FACTOR });
  try {
    hurry(lab.configPath);
    const hasty: string[] = [];
    const machine = lab.hosts.get('pbs01')?.machine;
    lab.record.onEntry((entry) => {
      if (!('kind' in entry) || entry.kind !== 'reboot' || entry.host !== 'pbs01') return;
      const uptime = Date.now() / 1000 - (machine?.bootedAt ?? 0);
      if (uptime < HOUR) hasty.push(`a reboot after ${Math.round(uptime)} s of uptime`);
    });
    const real: Real = { lab, witness: new Witness(lab), backup: null, hasty };
    const model: Model = {
      backup: false,
      foreignLock: false,
      bootedLately: false,
      unfinished: false,
    };
    await fc.asyncModelRun(() => ({ model, real }), drawn);
  } finally {
    await lab.stop();
  }
}

/** Until the machine is up and nothing of a killed run goes on inside. */
async function settled(lab: Lab): Promise<void> {
  const host = lab.hosts.get('pbs01');
  const limit = performance.now() + 60_000;
  for (;;) {
    if (host?.machine.phase === 'up' && host.daemonRuns && host.datastoresReady) return;
    if (performance.now() > limit) throw new Error('pbs01 did not come back within a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
