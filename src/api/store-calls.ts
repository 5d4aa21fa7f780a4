import { z } from 'zod';
import { EXIT, Fault } from '../fault.js';
import type { Clock } from '../world.js';
import { ApiFault, isTimeout, seconds } from './failure.js';
import * as answers from './pbs-answers.js';
import { at, type Request, type Server } from './request.js';

/** How a datastore is used at the moment, by its active operations. */
interface StoreUse {
  readonly datastore: string;
  readonly read: number;
  readonly write: number;
}

/** What the active operations of all datastores show. */
export interface StoresInUse {
  readonly operations: readonly StoreUse[];
  /** Datastores with a reader that stays and belongs to no task, as a call that hangs leaves one. */
  readonly lingering: readonly string[];
}

type Tasks = readonly answers.PbsTask[];
type Collection = z.output<typeof answers.GarbageCollection>;

export interface StoreLimits {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly requestTimeoutMs: number;
  /** All calls together take at most `requestTimeoutMs`, instead of each of them. */
  readonly together: boolean;
}

/** A reader without a task is looked at again so often, so far apart: PVE's own polling is one for a moment. */
const FURTHER_LOOKS = 2;
const BETWEEN_LOOKS_MS = 1000;
/** What is left of the time to ask the datastores one by one when the question for all of them hangs. */
const FOR_EACH = 1 / 4;
/** While one datastore keeps the others from being opened each call holds a thread of PBS for ten seconds. */
const LOCKED_PAUSE_MS = 60_000;

/**
 * The calls that make a PBS touch its datastores. One that hangs goes on inside PBS after its client has given up:
 * it can hold the lock under which every datastore is opened, and a thread that others need. So there is one at a
 * time, with a short limit, none is sent again, and a datastore that hangs is left alone while it does. Its active
 * operations need no datastore, and show whether it still hangs; they are never asked beside one of these calls,
 * which would count as a reader.
 */
export class StoreCalls {
  readonly #server: Server;
  readonly #limits: StoreLimits;
  #turn: Promise<unknown> = Promise.resolve();
  #spentMs = 0;
  /** Datastores that are left alone, and why: words that stand after their name. */
  #hanging: ReadonlyMap<string, string> = new Map();
  /** All are left alone until then, by the monotonic clock: one keeps the others from being opened. */
  #blocked: { readonly until: number; readonly why: string } | null = null;

  constructor(server: Server, limits: StoreLimits) {
    this.#server = server;
    this.#limits = limits;
  }

  /** Which datastores are in use? @param tasks asks for those that run */
  inUse(names: readonly string[], running: Tasks, tasks: () => Promise<Tasks>): Promise<StoresInUse> {
    return this.#alone(async () => {
      const { operations, lingering } = await this.#look(names, running, tasks);
      return { operations, lingering };
    });
  }

  /** How full is each? `error` says what was seen of one that hangs or was not asked. */
  usage(names: readonly string[], tasks: () => Promise<Tasks>): Promise<answers.DatastoreUsage[]> {
    return this.#alone(async () => {
      if (this.#refused(names) === null) {
        try {
          const share = names.length > 1 ? 1 - FOR_EACH : 1;
          const all = await this.#ask('/status/datastore-usage', z.array(answers.DatastoreUsage), { share });
          return all.map((each) => (isLocked(each.error) ? { ...each, error: this.#block() } : each));
        } catch (error) {
          if (error instanceof Silence) await this.#blame(names, error, tasks);
          // A path that has vanished breaks the whole answer, which does not say whose it is.
          else if (!isRefusal(error)) throw error;
        }
      }
      const each: answers.DatastoreUsage[] = [];
      for (const name of names) each.push(await this.#usageOf(name, tasks));
      return each;
    });
  }

  /** When is garbage collection due? Words in place of the answer where a datastore hangs. */
  collections(
    names: readonly string[],
    tasks: () => Promise<Tasks>,
  ): Promise<readonly Collection[] | string> {
    return this.#alone(async () => {
      const refused = this.#refused(names);
      if (refused !== null) return refused;
      try {
        return await this.#ask('/admin/gc', z.array(answers.GarbageCollection));
      } catch (error) {
        if (!(error instanceof Silence)) throw error;
        await this.#blame(names, error, tasks);
        return this.#refused(names) ?? error.message;
      }
    });
  }

  /**
   * One question about one datastore.
   * @param request whose `limitMs` may be longer than that of other calls
   * @throws Fault `pbs.datastore-hangs` where that datastore is silent, or is not asked since it or another hangs
   */
  about<Answer>(
    name: string,
    request: Request,
    tasks: () => Promise<Tasks>,
    send: (request: Request) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#alone(async () => {
      const refused = this.#refused([name]);
      if (refused !== null) throw silent(name, refused);
      try {
        return await this.#send(request, send);
      } catch (error) {
        if (!(error instanceof Silence)) throw error;
        await this.#blame([name], error, tasks);
        throw silent(name, this.#refused([name]) ?? error.message);
      }
    });
  }

  async #usageOf(name: string, tasks: () => Promise<Tasks>): Promise<answers.DatastoreUsage> {
    const unknown = { name, total: null, used: null, available: null, mounted: null };
    const refused = this.#refused([name]);
    if (refused !== null) return { ...unknown, error: refused };
    try {
      const needs = { privilege: 'Datastore.Audit', path: `/datastore/${name}` };
      const sizes = await this.#ask(at`/admin/datastore/${name}/status`, answers.StoreSizes, { needs });
      return { ...unknown, ...sizes, error: null };
    } catch (error) {
      if (error instanceof Silence) {
        await this.#blame([name], error, tasks);
        return { ...unknown, error: this.#refused([name]) ?? error.message };
      }
      if (isRefusal(error)) return { ...unknown, error: this.#refused([name]) ?? error.serverWords };
      throw error;
    }
  }

  /** `gone`: a reader without a task was there, and is not any more. */
  async #look(
    names: readonly string[],
    running: Tasks,
    tasks: () => Promise<Tasks>,
  ): Promise<StoresInUse & { readonly gone: boolean }> {
    let first = 0;
    const seen = new Map<string, StoreUse>();
    let left: readonly string[] = names;
    let known = running;
    for (let further = 0; left.length > 0; further += 1) {
      const found = await Promise.all(left.map((name) => this.#operations(name)));
      for (const use of found) seen.set(use.datastore, use);
      left = found
        .filter(({ datastore, read }) => read > 0 && !isReadByTask(datastore, known))
        .map(({ datastore }) => datastore);
      first ||= left.length;
      if (further === FURTHER_LOOKS || left.length === 0) break;
      await this.#limits.clock.sleep(BETWEEN_LOOKS_MS);
      known = await tasks();
    }
    this.#hanging = new Map(left.map((name) => [name, this.#hanging.get(name) ?? STAYS]));
    return { operations: [...seen.values()], lingering: left, gone: left.length < first };
  }

  async #operations(name: string): Promise<StoreUse> {
    const path = at`/admin/datastore/${name}/active-operations`;
    const needs = { privilege: 'Datastore.Audit', path: `/datastore/${name}` };
    const use = await this.#server.ask({ method: 'GET', path, needs }, answers.ActiveOperations);
    return { datastore: name, ...use };
  }

  /** Whose call is still open? */
  async #blame(names: readonly string[], silence: Silence, tasks: () => Promise<Tasks>): Promise<void> {
    const why = `hangs: ${silence.message}; look at its disk or mount`;
    const before = this.#hanging;
    try {
      const { lingering, gone } = await this.#look(names, await tasks(), tasks);
      this.#hanging = new Map(lingering.map((name) => [name, before.get(name) ?? why]));
      // Or it was slow, and has been answered by now.
      if (gone || lingering.some((name) => !before.has(name))) return;
    } catch {
      // Where that cannot be seen nothing more is asked.
    }
    // None shows: it was not even opened, and what is opened next waits for it.
    const [only] = names;
    if (only !== undefined && names.length === 1) this.#hanging = new Map([...before, [only, why]]);
    const culprit = names.length === 1 ? `not asked, since ${only}` : 'no answer: a datastore of this PBS';
    this.#blocked = { until: Number.POSITIVE_INFINITY, why: `${culprit} hangs (${silence.message})` };
  }

  /** Why none of these may be asked now, in words that stand after the name of one; null where they may be. */
  #refused(names: readonly string[]): string | null {
    const [name] = names;
    const own = name !== undefined && names.length === 1 ? this.#hanging.get(name) : undefined;
    if (own !== undefined) return own;
    if (this.#blocked && this.#limits.clock.monotonic() < this.#blocked.until) return this.#blocked.why;
    const hanging = names.filter((each) => this.#hanging.has(each));
    if (hanging.length > 0)
      return `not asked, since ${hanging.join(', ')} ${this.#hanging.get(hanging[0] as string)}`;
    return this.#leftMs() > 0 ? null : 'not asked: the time for datastores is used up';
  }

  #leftMs(): number {
    const { requestTimeoutMs, together } = this.#limits;
    return together ? Math.max(0, requestTimeoutMs - this.#spentMs) : requestTimeoutMs;
  }

  #ask<Answer>(
    path: string,
    data: z.ZodType<Answer>,
    { share = 1, needs }: { readonly share?: number; readonly needs?: Request['needs'] } = {},
  ): Promise<Answer> {
    const limitMs = this.#leftMs() * share;
    const request = { method: 'GET', path, limitMs, ...(needs ? { needs } : {}) } as const;
    return this.#send(request, (one) => this.#server.ask(one, data));
  }

  async #send<Answer>(request: Request, send: (request: Request) => Promise<Answer>): Promise<Answer> {
    const { clock, together } = this.#limits;
    const left = this.#leftMs();
    const limitMs = together ? Math.min(request.limitMs ?? left, left) : (request.limitMs ?? left);
    const begun = clock.monotonic();
    try {
      return await send({ ...request, repeat: 'brief-read', limitMs });
    } catch (error) {
      if (isTimeout(error)) throw new Silence(`no answer within ${seconds(limitMs)} to GET ${request.path}`);
      if (isRefusal(error) && isLocked(error.serverWords)) this.#block();
      throw error;
    } finally {
      this.#spentMs += clock.monotonic() - begun;
    }
  }

  #block(): string {
    const why = `no answer: a datastore of this PBS hangs and keeps the others from being opened (${LOCKED})`;
    this.#blocked = { until: this.#limits.clock.monotonic() + LOCKED_PAUSE_MS, why };
    return why;
  }

  /** One after the other, in the order in which they come. */
  #alone<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => {});
    return result;
  }
}

/** What a change of datastores is refused with while one of them hangs. @returns null for any other error */
export function hangsInstead(server: string, error: unknown): Fault | null {
  if (!(error instanceof ApiFault && isLocked(error.serverWords))) return null;
  return new Fault(
    'pbs.datastore-hangs',
    `PBS "${server}" changes no datastore at the moment: one of them hangs.`,
    {
      hint: 'Look at the disks and mounts of that host; PBS does not say which datastore it is.',
      exitCode: EXIT.tryLater,
      cause: error,
    },
  );
}

const silent = (name: string, why: string) =>
  new Fault('pbs.datastore-hangs', `Datastore ${name} ${why}.`, {
    hint: 'Look at its disk or mount, and at the rights of the folders of its namespaces; then, on that host:\nsystemctl restart proxmox-backup-proxy',
    exitCode: EXIT.tryLater,
  });

/** A call that got no answer in time. */
class Silence extends Error {}

const STAYS = 'has a reader that belongs to no task and stays: a call that hangs, or a download';

/** In the words of the server, which waits ten seconds for that file and does not say who holds it. */
const LOCKED = 'Unable to acquire lock "/etc/proxmox-backup/.datastore.lck"';
const isLocked = (words: string | null): boolean => words?.includes(LOCKED) ?? false;

const isRefusal = (error: unknown): error is ApiFault =>
  error instanceof ApiFault && error.kind === 'refused' && error.denied === null;

/** Whether a task works on a datastore: its id names the ones it uses, between colons. */
export const namesStore = ({ id }: Pick<answers.PbsTask, 'id'>, datastore: string): boolean =>
  (id ?? '').split(':').includes(datastore);

/** These count as writers; any other task of a datastore may be what reads it. */
const WRITERS = new Set(['backup', 'garbage_collection', 'prune', 'prunejob', 'tape-restore']);
const isReadByTask = (datastore: string, tasks: Tasks): boolean =>
  tasks.some((task) => !WRITERS.has(task.type) && namesStore(task, datastore));
