import type { RunDocument } from '../src/journal/document.js';
import type { Lab } from '../src/lab/lab.js';
import { tagsOf } from '../src/lab/pve/cluster.js';
import type { RecordedRequest } from '../src/lab/record.js';

const LOCK = /^pbs-ctl-lock\+([a-z0-9._-]+)\+([a-z0-9._-]+)\+\d+$/;

/** Requests from the look at the lock to the change that rests on it; the unit begins some after it was requested. */
const LOOKED_LATELY = 20;

/** Watches the servers of a lab, and says which guarantee was broken when. Judges by nothing but what they saw. */
export class Witness {
  readonly violations: string[] = [];
  readonly #lab: Lab;
  #seen: readonly string[] = [];
  #sinceLook = 0;
  readonly #foreign: ReadonlyMap<string, string>;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#foreign = new Map(
      this.#datastores().flatMap(({ name, maintenance }) =>
        maintenance === null ? [] : [[name, maintenance]],
      ),
    );
    lab.record.onEntry((entry) => {
      if (!('kind' in entry)) return this.#sees(entry);
      if (entry.kind === 'lock-tag-set') this.#oneOwner();
      if (entry.kind === 'reboot') this.#mayChange('the reboot');
      if (entry.kind === 'upgrade-started') this.#mayChange('the upgrade');
      if (entry.kind === 'harmed')
        this.#say('G2', `a ${String(entry.detail.type)} was running when ${entry.host} went down`);
      if (entry.kind.startsWith('maintenance-')) this.#foreignStays();
    });
  }

  get reboots(): number {
    return this.#lab.record.events.filter(({ kind, host }) => kind === 'reboot' && host === 'pbs01').length;
  }

  get upgrades(): number {
    return this.#lab.record.events.filter(({ kind, host }) => kind === 'upgrade-started' && host === 'pbs01')
      .length;
  }

  /** At the very end, with the last report. `runs`: how many runs there were that may each have rebooted. */
  judge(document: RunDocument | null, { runs = 1 }: { runs?: number } = {}): string[] {
    if (this.reboots > runs) this.#say('G3', `${this.reboots} reboots in ${runs} runs`);
    const behind = { fences: this.#ownFences(), locks: this.#locks() };
    const clean = behind.fences.length === 0 && behind.locks.length === 0;
    if (document?.outcome === 'patched') {
      if (this.reboots < 1) this.#say('G3', 'patched without a reboot');
      if (!clean) this.#say('G4', `patched, and left behind: ${JSON.stringify(behind)}`);
    }
    if (document && !clean && document.leftBehind.fenced.length + document.leftBehind.locks.length === 0)
      this.#say('G5', `left behind without a word: ${JSON.stringify(behind)}`);
    if (document && this.upgrades === 0 && ['postponed', 'interrupted'].includes(document.outcome) && !clean)
      this.#say('G5', `nothing was upgraded, yet left behind: ${JSON.stringify(behind)}`);
    if (document?.outcome === 'unverified' && this.#lab.hosts.get('pbs01') && behind.fences.length === 0)
      this.#say('G4', 'validation failed, and the fence is down');
    return this.violations;
  }

  #say(guarantee: string, what: string): void {
    this.violations.push(`${guarantee}: ${what}`);
  }

  #locks(): string[] {
    return [...this.#lab.cluster.guests.values()].flatMap(tagsOf).filter((tag) => LOCK.test(tag));
  }

  #oneOwner(): void {
    const runs = new Set(this.#locks().map((tag) => LOCK.exec(tag)?.[2]));
    if (runs.size > 1) this.#say('G1', `two runs hold the lock: ${[...runs].join(', ')}`);
  }

  #owners(): string[] {
    return this.#locks().flatMap((tag) => LOCK.exec(tag)?.[1] ?? []);
  }

  /** Every look of a run at the tags that carry the lock. */
  #sees({ method, path, status }: RecordedRequest): void {
    this.#sinceLook += 1;
    if (method !== 'GET' || status !== 200 || !path.endsWith('/qemu/900/config')) return;
    this.#seen = this.#owners();
    this.#sinceLook = 0;
  }

  /** No run can act on what happens after the look and before the request: what was seen then counts. */
  #mayChange(what: string): void {
    const owners = this.#seen;
    if (this.#sinceLook > LOOKED_LATELY) this.#say('G1', `${what} began without a look at the lock`);
    if (owners.length !== 1 || owners[0] !== 'pbs01')
      this.#say('G1', `${what} began without our lock (${owners.join(', ') || 'none'})`);
    const busy =
      this.#lab.hosts
        .get('pbs01')
        ?.running()
        .filter(({ store }) => store !== null) ?? [];
    if (busy.length > 0)
      this.#say('G2', `${what} began while ${busy.map(({ type, id }) => `${type} ${id}`).join(', ')} ran`);
  }

  #datastores() {
    return this.#lab.hosts.get('pbs01')?.datastores ?? [];
  }

  #ownFences(): string[] {
    return this.#datastores().flatMap(({ name, maintenance }) =>
      maintenance?.includes('pbs-ctl run') ? [name] : [],
    );
  }

  #foreignStays(): void {
    for (const { name, maintenance } of this.#datastores()) {
      const before = this.#foreign.get(name);
      if (before !== undefined && before !== maintenance)
        this.#say('G4', `the mode of ${name} was changed from ${before} to ${maintenance}`);
    }
  }
}
