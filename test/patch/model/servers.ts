import { Outdated } from '../../../src/fault.js';
import { runOfFence } from '../../../src/fence/mark.js';
import type { VirtualClock } from '../../support/virtual-clock.js';

const LOCK = /^pbs-ctl-lock\+[^+]+\+([^+]+)\+\d+$/;
export const HOUR = 3_600_000;
const DOWN_AFTER = 3000;

interface Mode {
  readonly type: string;
  readonly message: string | null;
}
/** What a run last saw of what its next change rests on, and how many requests ago. */
export interface Seen {
  lockIsOwn: boolean;
  sinceLock: number;
  tasks: number;
  sinceTasks: number;
}
/** Between the look and the change that rests on it: others may renew, or ask for the boot. */
const [LOCK_LATELY, TASKS_LATELY] = [3, 25];

const PACKAGES = 2;

/** One PBS and the guest that carries the lock, in memory; the truth that every guarantee is judged by. */
export class Servers {
  readonly violations: string[] = [];
  readonly modes = new Map<string, Mode | null>([
    ['tank', null],
    ['vault', null],
  ]);
  readonly rebootsOf = new Map<string, number>();
  /** When a request of the run to reboot arrived. */
  readonly askedAt = new Map<string, number>();
  tags: string[] = ['pbs'];
  revision = 0;
  backup = false;
  sick = false;
  /** Somebody took a fence of pbs-ctl away. */
  liftedByHand = false;
  /** It takes requests to reboot and does nothing. */
  deaf = false;
  /** Once down it stays down. */
  stuck = false;
  /** Until then nothing gets through to it, though it runs. */
  cutUntil = 0;
  /** How far its own clock is off, milliseconds. */
  skew = 0;
  bootedAt: number;
  upgradedAt: number | null = null;
  pending = PACKAGES;
  readonly tasks: Array<{ upid: string; type: string; startedAt: number; ends: number; lost: boolean }> = [];
  readonly #clock: VirtualClock;
  #downAt = Number.POSITIVE_INFINITY;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.bootedAt = this.time - 24 * HOUR;
  }

  get time(): number {
    return this.#clock.monotonic();
  }
  get uptime(): number {
    return this.time - this.bootedAt;
  }
  get answers(): boolean {
    return this.isUp && this.time >= this.cutUntil;
  }
  get isUp(): boolean {
    return this.time < this.#downAt && this.time >= this.bootedAt;
  }
  get lockRuns(): string[] {
    return this.tags.flatMap((tag) => LOCK.exec(tag)?.[1] ?? []);
  }
  fencesOf(run: string): string[] {
    return [...this.modes].flatMap(([name, mode]) => (runOfFence(mode) === run ? [name] : []));
  }
  /** Nothing that a run must wait for, and nothing of anybody else. */
  get isClear(): boolean {
    const modes = [...this.modes.values()].every((mode) => mode === null);
    const free = this.lockRuns.length === 0 && !this.backup && this.tasks.every((task) => !this.runs(task));
    const well = !this.sick && !this.deaf && !this.stuck && this.answers && Math.abs(this.skew) < 20_000;
    return modes && free && well && this.uptime >= HOUR;
  }

  setTags(tags: readonly string[], digest: string): void {
    if (digest !== String(this.revision)) throw new Outdated('pve.modified', 'checksum mismatch');
    this.storeTags(tags);
  }
  storeTags(tags: readonly string[]): void {
    this.tags = [...tags];
    this.revision += 1;
    if (new Set(this.lockRuns).size > 1) this.#say(`G1: two runs hold the lock: ${this.lockRuns.join(', ')}`);
  }

  setMode(run: string, name: string, mode: Mode | null, digest: string, seen: Seen): void {
    if (digest !== this.modesDigest) throw new Outdated('pbs.modified', 'detected modified configuration');
    const before = this.modes.get(name) ?? null;
    if (before && runOfFence(before) !== run) this.#say(`G4: ${name} was ${before.type} by somebody else`);
    if (mode && !seen.lockIsOwn) this.#say('G2: a fence without the lock');
    this.modes.set(name, mode);
  }
  get modesDigest(): string {
    return JSON.stringify([...this.modes]);
  }

  startUpgrade(seen: Seen): string {
    this.#mayChange('the upgrade', seen);
    return this.#start('srvstart', 30_000);
  }
  refresh(): string {
    return this.#start('aptupdate', 3000);
  }
  #start(type: string, ms: number): string {
    const upid = `UPID:pbs01:${this.tasks.length}:${type}:`;
    this.tasks.push({ upid, type, startedAt: this.time, ends: this.time + ms, lost: false });
    return upid;
  }
  runs({ ends, lost }: { ends: number; lost: boolean }): boolean {
    return !lost && this.time < ends;
  }
  /** What the journal has of the unit of the upgrade; it is kept over a boot. */
  unitLines(since: number): string[] {
    this.settle();
    const unit = 'pbs-ctl-upgrade.service';
    const starts = this.tasks.filter(
      ({ type, startedAt }) => type === 'srvstart' && Math.floor((startedAt + this.skew) / 1000) >= since,
    );
    const endOf = ({ lost, startedAt }: { lost: boolean; startedAt: number }) => {
      if (!lost) return [`Finished ${unit}.`];
      // A machine that is reset writes nothing more.
      return this.bootedAt > startedAt ? [] : [`${unit}: Failed with result 'signal'.`];
    };
    return starts.flatMap((task) => [
      `Starting ${unit}...`,
      ...Array.from(
        { length: this.runs(task) ? 0 : this.#unpackedBy(task.upid) },
        (_, index) => `Unpacking package${PACKAGES - 1 - index} (2) over (1) ...`,
      ),
      ...(this.runs(task) ? [] : endOf(task)),
    ]);
  }
  /** What is repaired by hand later is not in the journal of the unit. */
  readonly #unpacked = new Map<string, number>();
  #unpackedBy(upid: string): number {
    const count = this.#unpacked.get(upid) ?? PACKAGES - this.pending;
    this.#unpacked.set(upid, count);
    return count;
  }
  /** What has come to an end by itself has its effect. */
  settle(): void {
    for (const task of this.tasks)
      if (task.type === 'srvstart' && !task.lost && !this.runs(task)) this.pending = 0;
  }

  askReboot(run: string, seen: Seen): void {
    this.#mayChange('the reboot', seen);
    const before = this.rebootsOf.get(run) ?? 0;
    this.rebootsOf.set(run, before + 1);
    this.askedAt.set(run, this.time);
    if (seen.sinceTasks > TASKS_LATELY)
      this.#say(`G2: the reboot, ${seen.sinceTasks} requests after a look at the tasks`);
    if (before > 0) this.#say(`G3: run ${run} asked for ${before + 1} reboots`);
    if (this.uptime < HOUR) this.#say(`G8: a reboot after ${this.uptime / 1000} s of uptime`);
    if (!this.deaf) this.goDown(DOWN_AFTER);
  }
  goDown(after: number): void {
    this.settle();
    this.#downAt = Math.min(this.#downAt, this.time + after);
    for (const task of this.tasks) if (task.ends > this.#downAt) task.lost = true;
    this.backup = false;
    this.bootedAt = this.stuck ? Number.POSITIVE_INFINITY : this.#downAt + 20_000;
    if (!this.stuck) this.#upAgain();
  }
  /** Whatever holds it down is mended. */
  letUp(): void {
    this.stuck = false;
    if (this.bootedAt !== Number.POSITIVE_INFINITY) return;
    this.bootedAt = this.time + 5000;
    this.#upAgain();
  }
  #upAgain(): void {
    void this.#clock.sleep(this.bootedAt - this.time).then(() => {
      this.#downAt = Number.POSITIVE_INFINITY;
    });
  }

  #mayChange(what: string, { lockIsOwn, sinceLock, tasks }: Seen): void {
    if (sinceLock > LOCK_LATELY) this.#say(`G1: ${what}, ${sinceLock} requests after a look at the lock`);
    if (!lockIsOwn) this.#say(`G1: ${what}, though the lock was last seen with another or none`);
    if (tasks > 0) this.#say(`G2: ${what}, though ${tasks} tasks were last seen`);
  }
  #say(text: string): void {
    this.violations.push(text);
  }
}
