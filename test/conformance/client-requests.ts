import type { z } from 'zod';
import * as account from '../../src/api/account.js';
import type { ByteStream } from '../../src/api/byte-stream.js';
import type { Look } from '../../src/api/client.js';
import { ApiFault } from '../../src/api/failure.js';
import { AgentFault } from '../../src/api/guest-agent.js';
import { Pbs } from '../../src/api/pbs.js';
import { Pve } from '../../src/api/pve.js';
import type { OneServer, Request, Server } from '../../src/api/request.js';
import { encode } from '../../src/api/wire.js';
import { readForm } from '../../src/lab/parameters.js';
import { realClock } from '../../src/world.js';

/** A request as it goes over the wire. */
export interface Sent {
  readonly product: 'pve' | 'pbs';
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly from: 'query' | 'json';
  readonly needs: Request['needs'];
}

const UPID = {
  pve: 'UPID:pve1:0003C2A1:0123ABCD:6955B900:vzdump::root@pam:',
  pbs: 'UPID:pbs01:0000033A:00000D1E:0000002A:69C3AB27:backup:tank\\x3avm-100:pve@pbs!cluster1:',
};

/** The questions of `doctor` and `init`, which no run asks. */
export const LOOKS: Readonly<Record<'pve' | 'pbs', readonly Look<unknown>[]>> = {
  pve: [
    account.pveToken('pbs-ctl@pve!patch'),
    account.nodeFingerprints,
    account.nodeAddresses,
    account.guestAddresses('pve1', 900),
  ],
  pbs: Object.values(account.pbsExpiry('pbs-ctl@pbs!patch')),
};

const LIMITS = { clock: realClock, requestTimeoutMs: 15_000, together: false };

/** Everything that both clients can ask of servers of these versions: each method is called. */
export async function everyRequest(versions: { pve: string; pbs: string }): Promise<Sent[]> {
  const sent: Sent[] = [];
  await callAll(new Pbs(recorder('pbs', versions.pbs, sent), LIMITS), {
    permissions: ['/system/status'],
    daemonAnswers: [1000],
    setMaintenance: ['tank', { type: 'read-only', message: 'pbs-ctl, run k3f9x2: 5 % done' }, 'a'.repeat(64)],
    inUse: [['tank'], [], 'before'],
    datastoreUsage: [['tank']],
    jobs: [versions.pbs, [], ['tank']],
    syncs: [versions.pbs],
    recentTasks: [5],
    taskState: [UPID.pbs],
    taskLog: [UPID.pbs, () => {}],
    startService: ['pbs-ctl-upgrade.service'],
    unitLog: ['pbs-ctl-upgrade.service', 1_795_399_200, 3600],
    probe: [1000],
  });
  const pbs = new Pbs(recorder('pbs', versions.pbs, sent), LIMITS);
  const snapshot = { store: 'tank', ns: 'prod/a', type: 'vm', id: '101', time: 1_764_003_600 };
  await callAll(pbs.contents, {
    namespaces: ['tank', {}],
    groups: ['tank', 'prod/a'],
    snapshotTimes: [snapshot],
    files: [snapshot],
    manifest: [snapshot],
    checksum: [snapshot, 'qemu-server.conf.blob'],
  });
  await pbs.contents.groups('tank', '');
  await pbs.setMaintenance('tank', null, 'a'.repeat(64));
  const pve = new Pve('main', recorder('pve', versions.pve, sent));
  await callAll(pve, {
    permissions: ['/vms/900'],
    setRegisteredTags: [['a', 'pbs-ctl-lock+pbs01+k3f9x2+1764003600']],
    runningTasks: ['pve1'],
    taskState: ['pve1', UPID.pve],
    taskLogHead: ['pve1', UPID.pve, 20],
    nodeTasksFinished: ['pve1', { type: 'vzdump', since: 1_764_003_600.5, limit: 50 }],
    jobGuests: ['backup-1a2b3c4d-5e6f'],
    scheduleRuns: ['mon..fri 02:00', 1_764_003_600.5, 10],
    storageActive: ['pve1', 'pbs01-tank'],
    vzdumpStorage: ['pve1'],
    nodeStatus: ['pve1'],
    nodeTime: ['pve1'],
    guestNodeTime: [900],
    nodePackages: ['pve1'],
    findGuest: [900],
    guestConfig: [900],
    guestConfigInUse: [900],
    setGuestTags: [900, ['pbs', 'pbs-ctl-lock+pbs01+k3f9x2+1764003600'], 'b'.repeat(40)],
    guestStatus: [900],
    startVm: [900],
    resetVm: [900],
  });
  await callAll(pve.agent, {
    ping: [900],
    info: [900],
    exec: [900, ['/bin/sh', '-c', 'a=1; echo "$a"']],
    execStatus: [900, 4711],
    bootId: [900, 1000],
  });
  await pve.setRegisteredTags([]);
  await pve.setGuestTags(900, [], 'b'.repeat(40));
  await pve.guestConfig(103);
  for (const look of LOOKS.pve) await pve.look(look);
  for (const look of LOOKS.pbs) await pbs.look(look);
  await pve.console.screen(900);
  await pve.console.serial(900, 'serial0');
  return sent;
}

/** Methods without arguments here are called without any: one that is new is called, too. */
async function callAll(client: object, given: Readonly<Record<string, readonly unknown[]>>): Promise<void> {
  const members = new Map<string, PropertyDescriptor>();
  for (let each = client; each !== Object.prototype; each = Object.getPrototypeOf(each) as object)
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(each)))
      if (!members.has(name)) members.set(name, member);
  for (const [name, { value: method }] of members) {
    // `look`, and what it is behind, ask endpoints beyond the published extracts.
    if (['constructor', 'close', 'look', 'tokenFacts', 'get'].includes(name)) continue;
    if (typeof method !== 'function') continue; // a getter, or what the client is made of
    const asked: Promise<unknown> = method.apply(client, [...(given[name] ?? [])]);
    await asked.catch((error: unknown) => {
      // Refused below on purpose, so that the question after the refusal is asked.
      if (!(error instanceof AgentFault && error.mayBeFrozen)) throw error;
    });
  }
}

function recorder(product: 'pve' | 'pbs', version: string, sent: Sent[]): Server {
  const ask = async <Answer>(request: Request, _: z.ZodType<Answer>): Promise<Answer> => {
    const { method, path, parameters = {}, json, needs } = request;
    sent.push({
      product,
      method,
      path,
      needs,
      parameters: json ? { ...json } : readForm(encode(parameters)),
      from: json ? 'json' : 'query',
    });
    if (path.endsWith('/agent/exec'))
      throw new ApiFault('api.refused', 'refused', request, {
        status: 500,
        words: 'Agent error: has been disabled',
      });
    return answerTo(path, version) as Answer;
  };
  const server: OneServer = {
    product,
    name: 'test',
    address: 'https://127.0.0.1:1',
    ask,
    askWhole: ask,
    onOne: (act) => act(server),
    dial: async (path, parameters) => {
      const form = readForm(encode(parameters));
      sent.push({ product, method: 'GET', path, needs: undefined, parameters: form, from: 'query' });
      return {} as ByteStream;
    },
    close: async () => {},
  };
  return server;
}

/** Just enough for a client to go on with. */
function answerTo(path: string, version: string): unknown {
  if (path === '/version') return { version, release: '1', major: Number.parseInt(version, 10) };
  if (path === '/cluster/resources')
    return [
      { vmid: 900, type: 'qemu', node: 'pve1' },
      { vmid: 103, type: 'lxc', node: 'pve1' },
    ];
  if (path === '/access/permissions') return {};
  if (path.endsWith('/file-read')) return '';
  if (path.includes('/agent/')) return { value: 'thawed' };
  if (/(vnc|term)proxy$/.test(path)) return { port: 5900, ticket: 'PVEVNC:x', user: 'x', password: null };
  return /manager_status|\/status$|\/time$/.test(path) ? {} : [];
}
