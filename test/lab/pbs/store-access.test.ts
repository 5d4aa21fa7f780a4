import { describe, it } from 'vitest';
import { until } from '../../support/lab.js';
import { asking, storeOf, told, within } from './hosts.js';

const LOCKED =
  '400 Unable to acquire lock "/etc/proxmox-backup/.datastore.lck" - Interrupted system call (os error 4)';
const USAGE = '/status/datastore-usage';
const operations = (store: string) => `/admin/datastore/${store}/active-operations`;
const status = (store: string) => `/admin/datastore/${store}/status`;

describe('a datastore of the lab that hangs', () => {
  it.concurrent('shows a reader without a task for each call that hangs, and frees it when the store comes back', ({
    expect,
  }) =>
    asking({}, async ({ host, caller }) => {
      const tank = storeOf(host, 'tank');
      tank.trouble = 'hangs';
      const usage = caller.ask('GET', USAGE);
      expect(await within(100, usage)).toBe('open');
      expect((await caller.ask('GET', operations('tank'))).data).toEqual({ read: 1, write: 0 });
      // It was open already: the other store and the config answer as ever.
      expect((await caller.ask('GET', status('vault'))).status).toBe(200);
      tank.trouble = null;
      expect((await usage).status).toBe(200);
      expect((await caller.ask('GET', operations('tank'))).data).toEqual({ read: 0, write: 0 });
    }));

  it.concurrent('holds, when it was not opened yet, the lock under which all are opened and changed: 400 after ten seconds', ({
    expect,
  }) =>
    asking({}, async ({ host, caller }) => {
      host.stores.restarted('boot');
      host.stores.cores = 4;
      storeOf(host, 'tank').trouble = 'hangs';
      const first = caller.ask('GET', status('tank'));
      await until('the first call hangs', () => host.stores.locked !== null);
      const digest = host.digest();
      const fence = { 'maintenance-mode': 'type=read-only', digest };
      const [vault, put, usage, gc, names] = await Promise.all([
        caller.ask('GET', status('vault')),
        caller.ask('PUT', '/config/datastore/vault', fence),
        caller.ask('GET', USAGE),
        caller.ask('GET', '/admin/gc'),
        caller.ask('GET', '/admin/datastore'),
      ]);
      expect([told(vault), told(put)]).toEqual([LOCKED, LOCKED]);
      // All stores look broken then, and the one that hangs is not named.
      expect((usage.data as { error: string }[]).map(({ error }) => `400 ${error}`)).toEqual([
        LOCKED,
        LOCKED,
      ]);
      expect(gc.data).toEqual([]);
      expect(names.status).toBe(200);
      expect(host.startTask({ type: 'backup', store: 'vault', access: 'write', seconds: null }).status).toBe(
        LOCKED.slice(4),
      );
      storeOf(host, 'tank').trouble = null;
      expect((await first).status).toBe(200);
      expect((await caller.ask('PUT', '/config/datastore/vault', fence)).status).toBe(200);
    }));

  it.concurrent('takes a worker thread for each of these calls: with two cores the second ends ping and TLS, until it comes back', ({
    expect,
  }) =>
    asking({}, async ({ host, caller }) => {
      storeOf(host, 'tank').trouble = 'hangs';
      const calls = [caller.ask('GET', status('tank'))];
      await until('the first hangs', () => host.stores.readersOf('tank') === 1);
      expect((await caller.ask('GET', '/ping')).status).toBe(200);
      calls.push(caller.ask('GET', '/admin/datastore/tank/groups'));
      await until('the second hangs', () => host.stores.readersOf('tank') === 2);
      const ping = caller.ask('GET', '/ping');
      expect(await within(100, ping)).toBe('open');
      storeOf(host, 'tank').trouble = null;
      expect((await ping).status).toBe(200);
      expect((await Promise.all(calls)).map((answer) => answer.status)).toEqual([200, 200]);
    }));

  it.concurrent('is forgotten with all its calls by a reboot', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      storeOf(host, 'tank').trouble = 'hangs';
      caller.ask('GET', status('tank')).catch(() => {});
      await until('it hangs', () => host.stores.readersOf('tank') === 1);
      host.machine.reboot();
      await until('it goes down', () => !host.daemonRuns);
      expect(host.stores.readersOf('tank')).toBe(0);
    }));
});

describe('calls of the lab that touch a datastore', () => {
  it.concurrent('count as a reader while they run', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      const tank = storeOf(host, 'tank');
      for (const path of [USAGE, '/admin/gc', status('tank'), '/admin/datastore/tank/groups']) {
        tank.trouble = 'hangs';
        const call = caller.ask('GET', path);
        await until('the call runs', () => host.stores.readersOf('tank') === 1);
        expect((await caller.ask('GET', operations('tank'))).data).toEqual({ read: 1, write: 0 });
        tank.trouble = null;
        expect((await call).status).toBe(200);
        expect(host.stores.readersOf('tank')).toBe(0);
      }
    }));

  it.concurrent('are counted: how many were open at once, and which were sent again without an answer', ({
    expect,
  }) =>
    asking({}, async ({ host, caller }) => {
      await caller.ask('GET', status('tank'));
      await caller.ask('GET', status('tank'));
      expect(host.storeCalls).toMatchObject({ asked: [status('tank'), status('tank')], mostAtOnce: 1 });
      expect(host.storeCalls.repeated).toEqual([]);
      storeOf(host, 'tank').trouble = 'hangs';
      const given = new AbortController();
      const hung = caller.ask('GET', USAGE, {}, { signal: given.signal }).catch(() => 'given up');
      const other = caller.ask('GET', '/admin/gc');
      await until('both are open', () => host.storeCalls.mostAtOnce === 2);
      given.abort();
      expect(await hung).toBe('given up');
      await until('the server has seen it', () => host.stores.readersOf('tank') === 2);
      const again = caller.ask('GET', USAGE);
      await until('it is sent again', () => host.storeCalls.repeated.length === 1);
      storeOf(host, 'tank').trouble = null;
      expect([(await other).status, (await again).status]).toEqual([200, 200]);
    }));
});

describe('the path of a datastore of the lab', () => {
  it.concurrent('breaks the whole answer of usage when it vanishes, and only status names the store', ({
    expect,
  }) =>
    asking({}, async ({ host, caller }) => {
      storeOf(host, 'tank').trouble = 'path-gone';
      const gone = '400 ENOENT: No such file or directory';
      expect(told(await caller.ask('GET', USAGE))).toBe(gone);
      expect(told(await caller.ask('GET', status('tank')))).toBe(gone);
      expect(told(await caller.ask('GET', '/admin/datastore/tank/groups'))).toBe(gone);
      expect((await caller.ask('GET', status('vault'))).status).toBe(200);
      expect((await caller.ask('GET', '/admin/datastore/tank/namespace')).data).toEqual([{ ns: '' }]);
    }));

  it.concurrent('looks well without its disk while PBS runs, and cannot be opened after the next start', ({
    expect,
  }) =>
    asking({}, async ({ lab, host, caller }) => {
      const machine = lab.hosts.get('pbs01')?.machine;
      if (!machine) throw new Error('no machine');
      const { total } = machine.vitals().root;
      machine.mounts = () => [];
      expect((await caller.ask('GET', status('tank'))).data).toMatchObject({ total });
      expect((await caller.ask('GET', '/admin/datastore/tank/groups')).data).toEqual([]);
      host.stores.restarted('boot');
      const words =
        'unable to open chunk store at "/mnt/datastore/tank/.chunks" - No such file or directory (os error 2)';
      expect(told(await caller.ask('GET', status('tank')))).toBe(`400 ${words}`);
      const usage = (await caller.ask('GET', USAGE)).data as { store: string; error: string }[];
      expect(usage.find(({ store }) => store === 'tank')?.error).toBe(words);
    }));
});
