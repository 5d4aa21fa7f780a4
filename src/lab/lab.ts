import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PBS_TOKEN, PVE_TOKEN, writeConfig } from './config.js';
import type { GuestMachine } from './guest-machine.js';
import type { Weather } from './https.js';
import { Machine } from './machine/machine.js';
import type { MachineSpec, PbsRelease } from './machine/spec.js';
import { simulatedPbs } from './pbs/assembly.js';
import type { PbsHost } from './pbs/host.js';
import type { PbsJob } from './pbs/state.js';
import { grantPbs, grantPve } from './privileges.js';
import { simulatedPve } from './pve/assembly.js';
import type { PveVersion } from './pve/state.js';
import { LabRecord } from './record.js';
import { SCENARIOS } from './scenario.js';
import type { Landscape } from './scenarios/scenario.js';
import { SlackSink } from './slack.js';
import { reachesPbs, storedBackups } from './stored-backups.js';
import { LabTime } from './time.js';
import { pbsUpid } from './upid.js';

export interface LabOptions {
  readonly scenario?: string;
  /** How much faster simulated machines are than real ones. */
  readonly factor?: number;
  /** Where the lab keeps its files; a new temporary folder otherwise, removed at the end. */
  readonly dir?: string;
  readonly pve?: PveVersion;
  readonly pbs?: PbsRelease;
}

/** A running lab: one PVE cluster of three nodes, two PBS hosts that are VMs of it, a Slack sink. */
export interface Lab<M extends GuestMachine = Machine> extends Landscape<M> {
  readonly dir: string;
  readonly configPath: string;
  readonly slack: SlackSink;
  /** Every secret in use, so that a test can look for them where they must not be. */
  readonly secrets: readonly string[];
  /** Lets something befall requests to any server but that of Slack. */
  setWeather(weather: Weather): void;
  stop(): Promise<void>;
}

const NODES = ['pve1', 'pve2', 'pve3'];
const HOSTS = [
  { name: 'pbs01', vmid: 900, node: 'pve1', datastores: ['tank', 'vault'] },
  { name: 'pbs02', vmid: 901, node: 'pve2', datastores: ['tank'] },
] as const;

/** Starts every server of the lab and writes a config for it. @throws Error for an unknown scenario */
export const startLab = (options: LabOptions = {}): Promise<Lab> =>
  start(options, (_, simulated) => simulated());

/** The same with other machines in place of the lab's own, by the name of their host. */
export const startLabWith = (
  machines: Readonly<Record<string, GuestMachine>>,
  options: LabOptions = {},
): Promise<Lab<GuestMachine>> => start(options, (name, simulated) => machines[name] ?? simulated());

async function start<M extends GuestMachine>(
  { scenario = 'healthy', factor = 20, dir, pve = '9.2', pbs = '4.2' }: LabOptions,
  machineOf: (host: string, simulated: () => Machine) => M,
): Promise<Lab<M>> {
  const play = SCENARIOS.find(({ name }) => name === scenario);
  if (!play) throw new Error(`no scenario "${scenario}"`);
  const folder = dir === undefined ? mkdtempSync(join(tmpdir(), 'pbs-ctl-lab-')) : resolve(dir);
  mkdirSync(join(folder, 'secrets'), { recursive: true, mode: 0o700 });
  const time = new LabTime(factor);
  const record = new LabRecord();
  const log = join(folder, 'record.jsonl');
  record.onEntry((entry) => appendFileSync(log, `${JSON.stringify(entry)}\n`));
  const cluster = simulatedPve({ version: pve, time, record, nodes: NODES });
  const secrets = { pve: randomUUID(), pbs: randomUUID(), slack: randomUUID().replaceAll('-', '') };
  const hosts = new Map<string, PbsHost<M>>();
  for (const { name, vmid, node, datastores } of HOSTS) {
    const simulated = () =>
      new Machine({
        name,
        vmid,
        time,
        record,
        dir: join(folder, 'machines', name),
        spec: specOf(pbs, datastores, name === 'pbs01' ? play.machine : {}),
      });
    const machine = machineOf(name, simulated);
    const host = simulatedPbs({ name, version: pbs, machine, time, record });
    host.datastores.push(
      ...datastores.map((store) => ({
        name: store,
        path: `/mnt/datastore/${store}`,
        maintenance: null,
        error: null,
        groups: storedBackups(store, time.now()),
      })),
    );
    host.access.addToken(PBS_TOKEN, secrets.pbs);
    grantPbs(host.access, datastores);
    for (const store of datastores)
      host.jobs.push({
        kind: 'gc',
        id: store,
        store,
        schedule: 'sat 03:00',
        nextRun: time.now() + 40 * 3600,
        lastRun: lastRun(name, { type: 'garbage_collection', id: store, at: time.now() - 128 * 3600 }),
      });
    host.jobs.push({
      kind: 'verify',
      id: `v-${name}`,
      store: 'tank',
      schedule: 'sun 05:00',
      nextRun: time.now() + 60 * 3600,
      lastRun: lastRun(name, { type: 'verificationjob', id: `tank:v-${name}`, at: time.now() - 108 * 3600 }),
    });
    hosts.set(name, host);
    cluster.guests.set(vmid, {
      vmid,
      name,
      type: 'qemu',
      node,
      config: { name, agent: '1', cores: '4', memory: '8192', tags: 'pbs' },
      machine,
    });
  }
  for (const [vmid, node] of [
    [101, 'pve2'],
    [102, 'pve3'],
    [103, 'pve1'],
  ] as const) {
    cluster.guests.set(vmid, {
      vmid,
      name: `app${vmid}`,
      type: vmid === 103 ? 'lxc' : 'qemu',
      node,
      config: { name: `app${vmid}`, tags: 'prod' },
    });
  }
  cluster.access.addToken(PVE_TOKEN, secrets.pve);
  grantPve(
    cluster.access,
    pve,
    HOSTS.map(({ vmid }) => vmid),
  );
  const slack = new SlackSink();
  const [webhook] = await Promise.all([
    slack.listen(`/services/T000/B000/${secrets.slack}`),
    cluster.listen(),
    ...[...hosts.values()].map(({ server }) => server.listen()),
  ]);
  for (const [name, host] of hosts) {
    for (const [other, { server }] of hosts) {
      const { hostname, port } = new URL(server.url);
      if (other !== name)
        host.remotes.push({
          name: other,
          host: hostname,
          port: Number(port),
          fingerprint: server.fingerprint,
        });
    }
    for (const { name: datastore } of host.datastores) {
      cluster.storages.push({
        storage: `${name}-${datastore}`,
        type: 'pbs',
        server: '127.0.0.1',
        port: host.server.port,
        datastore,
        fingerprint: host.server.fingerprint.toLowerCase(),
      });
    }
  }
  cluster.reaches = reachesPbs(hosts);
  const hour = new Date(Date.now() + 6 * 3_600_000).getHours();
  cluster.jobs.push(
    { id: 'backup-nightly', schedule: `${hour}:00`, enabled: true, storage: 'pbs01-tank', all: true },
    { id: 'backup-pbs02', schedule: `${hour}:30`, enabled: true, storage: 'pbs02-tank', vmid: '101,102' },
  );
  const lab: Lab<M> = {
    dir: folder,
    configPath: join(folder, 'config.json'),
    cluster,
    hosts,
    slack,
    record,
    secrets: Object.values(secrets),
    setWeather(weather) {
      for (const server of [...cluster.servers, ...[...hosts.values()].map((host) => host.server)])
        server.weather = weather;
    },
    async stop() {
      time.stop();
      await Promise.all([...hosts.values()].map(({ machine }) => machine.stop()));
      await Promise.all([cluster.close(), ...[...hosts.values()].map((host) => host.close()), slack.close()]);
      if (dir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
  writeConfig(lab, lab, { ...secrets, slack: webhook }, play);
  await play.arrange?.(lab);
  return lab;
}

/** A run of a scheduled job that took ten minutes and went well. */
function lastRun(
  node: string,
  { type, id, at }: { type: string; id: string; at: number },
): NonNullable<PbsJob['lastRun']> {
  const upid = pbsUpid({ node, type, id, user: 'root@pam', startedAt: at });
  return { upid, endedAt: at + 600, state: 'OK', seconds: 600 };
}

function specOf(release: PbsRelease, datastores: readonly string[], differs: MachineSpec = {}): MachineSpec {
  return {
    release,
    mounts: datastores.map((name, index) => ({
      path: `/mnt/datastore/${name}`,
      device: `/dev/vd${'bcd'[index]}1`,
      fstype: 'ext4',
      totalBytes: 2e12,
      usedBytes: (8 - 3 * index) * 1e11,
    })),
    ...differs,
  };
}
