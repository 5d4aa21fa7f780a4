import { describe, expect, it } from 'vitest';
import { ApiFault } from '../../src/api/failure.js';
import type { PbsTask } from '../../src/api/pbs.js';
import type { Request, Server } from '../../src/api/request.js';
import { hangsInstead, StoreCalls } from '../../src/api/store-calls.js';

const USAGE = '/status/datastore-usage';
const LOCKED =
  'Unable to acquire lock "/etc/proxmox-backup/.datastore.lck" - Interrupted system call (os error 4)';
const SIZES = { total: 9, used: 4, avail: 5 };

type Answer = unknown | 'silence' | { readonly refused: string };

/** A PBS with the stores tank and vault, whose time passes only while it is silent or looked at again. */
function pbs(answer: (path: string, nth: number) => Answer, together = false) {
  const asked: string[] = [];
  const moment = { now: 0 };
  let [open, mostOpen] = [0, 0];
  const fault = (path: string, words: string | null) =>
    words === null
      ? new ApiFault('net.timeout', '', { method: 'GET', path }, {}, { timedOut: true })
      : new ApiFault('api.refused', words, { method: 'GET', path }, { status: 400, words });
  const server = {
    async ask({ path, limitMs = 15_000 }: Request, schema: { parse(value: unknown): unknown }) {
      asked.push(path);
      const touches = !path.endsWith('active-operations');
      open += touches ? 1 : 0;
      mostOpen = Math.max(mostOpen, open + (touches ? 0 : open));
      await new Promise((resolve) => setImmediate(resolve));
      open -= touches ? 1 : 0;
      const found = answer(path, asked.filter((each) => each === path).length);
      if (found === 'silence') {
        moment.now += limitMs;
        throw fault(path, null);
      }
      const refused = (found as { refused?: string }).refused;
      if (refused !== undefined) throw fault(path, refused);
      return schema.parse(found);
    },
  } as unknown as Server;
  const clock = {
    monotonic: () => moment.now,
    sleep: async (ms: number) => {
      moment.now += ms;
    },
  };
  const calls = new StoreCalls(server, { clock, requestTimeoutMs: 15_000, together });
  const tasks: PbsTask[] = [];
  const names = ['tank', 'vault'];
  return {
    asked,
    tasks,
    moment,
    mostOpen: () => mostOpen,
    look: () => calls.inUse(names, tasks, async () => tasks),
    usage: () => calls.usage(names, async () => tasks),
    collections: () => calls.collections(names, async () => tasks),
    touching: () => asked.filter((path) => !path.endsWith('active-operations')),
  };
}
const operations = (path: string) => /^\/admin\/datastore\/(\w+)\/active-operations$/.exec(path)?.[1];
const status = (path: string) => /^\/admin\/datastore\/(\w+)\/status$/.exec(path)?.[1];
const task = (type: string, id: string) => ({ type, id }) as PbsTask;
const USED = ['tank', 'vault'].map((store) => ({ store, ...SIZES }));

describe('calls that touch a datastore', () => {
  it('are sent one at a time, and active operations never beside one', async () => {
    const { look, usage, collections, mostOpen, asked } = pbs((path) =>
      path === USAGE ? USED : path === '/admin/gc' ? [] : { read: 0, write: 0 },
    );
    await Promise.all([look(), usage(), collections(), look(), usage()]);
    expect(mostOpen()).toBe(1);
    expect(asked.filter((path) => path === USAGE)).toHaveLength(2);
  });

  it('name the datastore that hangs, by the reader that its call has become, and ask the others one by one', async () => {
    const { look, usage, collections, touching } = pbs((path) => {
      const store = operations(path) ?? status(path);
      if (path === USAGE) return 'silence';
      if (status(path)) return SIZES;
      return { read: store === 'tank' && touching().length > 0 ? 1 : 0, write: 0 };
    });
    await look();
    expect((await usage()).map(({ name, error, total }) => [name, error, total])).toEqual([
      ['tank', `hangs: no answer within 11.3 s to GET ${USAGE}; look at its disk or mount`, null],
      ['vault', null, 9],
    ]);
    // Nor is anything sent that would touch it, as long as the reader is there.
    expect(await collections()).toMatch(/^not asked, since tank hangs: no answer/);
    await look();
    await usage();
    expect(touching()).toEqual([USAGE, '/admin/datastore/vault/status', '/admin/datastore/vault/status']);
  });

  it('go to that datastore again once its reader is gone', async () => {
    let reads = 1;
    const { look, usage, touching } = pbs((path) =>
      path === USAGE ? USED : { ...SIZES, read: reads, write: 0 },
    );
    await look();
    expect((await usage()).map(({ error }) => error)).toEqual([
      'has a reader that belongs to no task and stays: a call that hangs, or a download',
      'has a reader that belongs to no task and stays: a call that hangs, or a download',
    ]);
    expect(touching()).toEqual([]);
    reads = 0;
    await look();
    expect((await usage()).map(({ error, total }) => [error, total])).toEqual([
      [null, 9],
      [null, 9],
    ]);
  });

  it('end for the whole command where none shows whose call hangs: it hung from the start', async () => {
    const { look, usage, collections, touching } = pbs((path) =>
      path === USAGE ? 'silence' : { read: 0, write: 0 },
    );
    await look();
    const words = `no answer: a datastore of this PBS hangs (no answer within 11.3 s to GET ${USAGE})`;
    expect((await usage()).map(({ error }) => error)).toEqual([words, words]);
    await look();
    await usage();
    expect(await collections()).toBe(words);
    expect(touching()).toEqual([USAGE]);
  });

  it('do not blame a datastore that was only slow, and has answered by now', async () => {
    const { look, usage, touching } = pbs((path, nth) => {
      const store = operations(path);
      if (store) return { read: store === 'tank' && touching().length > 0 && nth < 3 ? 1 : 0, write: 0 };
      return path === USAGE ? 'silence' : SIZES;
    });
    await look();
    expect((await usage()).map(({ error }) => error)).toEqual([null, null]);
  });

  it('read the lock of the config as what it means, one datastore hangs, and leave all alone for a minute', async () => {
    let held = true;
    const { look, usage, touching, moment } = pbs((path) => {
      if (path !== USAGE) return { read: 0, write: 0 };
      return held ? USED.map(({ store }) => ({ store, error: LOCKED })) : USED;
    });
    await look();
    const why = /^no answer: a datastore of this PBS hangs and keeps the others from being opened/;
    for (const { error } of [...(await usage()), ...(await usage())]) expect(error).toMatch(why);
    expect(touching()).toEqual([USAGE]);
    held = false;
    moment.now += 60_001;
    expect((await usage()).map(({ error }) => error)).toEqual([null, null]);
  });

  it('name the datastore whose path has vanished, which the answer for all does not', async () => {
    const gone = { refused: 'ENOENT: No such file or directory' };
    const { look, usage } = pbs((path) => {
      if (operations(path)) return { read: 0, write: 0 };
      return path === USAGE || status(path) === 'tank' ? gone : SIZES;
    });
    await look();
    expect((await usage()).map(({ name, error }) => [name, error])).toEqual([
      ['tank', 'ENOENT: No such file or directory'],
      ['vault', null],
    ]);
  });

  it('take the time of one request together where a command only reads', async () => {
    const { look, usage, moment } = pbs((path) => {
      if (operations(path)) return { read: 0, write: 0 };
      if (path === USAGE) return { refused: 'ENOENT: No such file or directory' };
      moment.now += 10_000;
      return SIZES;
    }, true);
    await look();
    expect((await usage()).map(({ error }) => error)).toEqual([null, null]);
    expect((await usage()).map(({ error }) => error)).toEqual(
      ['tank', 'vault'].map(() => 'not asked: the time for datastores is used up'),
    );
  });
});

describe('a reader of a datastore', () => {
  const USE = { read: 0, write: 0 };

  it.each`
    task                              | looks | because
    ${['reader', 'tank:vm/100/692D']} | ${1}  | ${'a restore explains it'}
    ${['backup', 'tank:vm/100']}      | ${3}  | ${'a backup counts as a writer'}
    ${['reader', 'vault:vm/100']}     | ${3}  | ${'the task reads another datastore'}
  `(
    'without a task is looked at again, twice: $looks looks with $task, since $because',
    async ({ task: [type, id], looks }) => {
      const { look, tasks, asked, moment } = pbs((path) => ({
        ...USE,
        read: operations(path) === 'tank' ? 1 : 0,
      }));
      tasks.push(task(type, id));
      const { lingering } = await look();
      expect(asked.filter((path) => operations(path) === 'tank')).toHaveLength(looks);
      expect(lingering).toEqual(looks === 1 ? [] : ['tank']);
      expect(moment.now).toBe((looks - 1) * 1000);
    },
  );

  it('that goes away meanwhile was another client that looked', async () => {
    const { look } = pbs((path, nth) => ({ ...USE, read: operations(path) === 'tank' && nth < 3 ? 1 : 0 }));
    expect(await look()).toEqual({
      operations: [
        { datastore: 'tank', read: 0, write: 0 },
        { datastore: 'vault', read: 0, write: 0 },
      ],
      lingering: [],
    });
  });
});

it('a change of datastores that the lock refuses says that one of them hangs', () => {
  const refused = new ApiFault(
    'api.refused',
    LOCKED,
    { method: 'PUT', path: '/config/datastore/tank' },
    { status: 400, words: LOCKED },
  );
  expect(hangsInstead('pbs01', refused)).toMatchObject({ code: 'pbs.datastore-hangs', exitCode: 75 });
  expect(hangsInstead('pbs01', new Error('other'))).toBeNull();
});
