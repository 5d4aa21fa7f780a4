import { describe, expect, it } from 'vitest';
import { DatastoreUsage, Maintenance, Package, Task } from '../../src/api/pbs-answers.js';
import { neededOnPbs, neededOnPve, unmet } from '../../src/api/privileges.js';
import type { BackupJob, Pve } from '../../src/api/pve.js';
import { TaskStatus } from '../../src/api/tasks.js';
import type { Check, Judgement } from '../../src/checks/check.js';
import { pbsDatastores } from '../../src/checks/pbs.datastores.js';
import { pbsJobs } from '../../src/checks/pbs.jobs.js';
import { pveAccess } from '../../src/checks/pve.access.js';
import { pveBackups, readVzdump } from '../../src/checks/pve.backups.js';
import { pvePatching } from '../../src/checks/pve.patching.js';
import { pveSchedule } from '../../src/checks/pve.schedule.js';
import type { Target } from '../../src/config/target.js';
import { installedKernels } from '../../src/guest/kernels.js';
import { Access } from '../../src/lab/access.js';
import { grantPbs } from '../../src/lab/privileges.js';
import { seenAt } from '../../src/lock/look.js';
import type { Storages } from '../../src/schedule/whose-storage.js';
import { destinationOfJob } from '../../src/schedule/writing-jobs.js';
import { ASKING } from '../checks/judge.js';

const NOW = 1_764_000_000;
const policy = { maintenanceDuration: 1_800_000, backupMargin: 900_000, pbsJobs: 'block', mayBeAway: [] };
/** The judgement on what a check saw; only the fields that a trap is about are given. */
const judge = (check: unknown, seen: unknown): Judgement =>
  (check as Check<unknown>).judge(seen, {
    target: { policy } as unknown as Target,
    now: NOW,
    ownRun: null,
    ...ASKING,
  });
const inCluster = (seen: object) => [['main', seen]];

describe('traps of the PVE API', () => {
  const vzdump = { upid: 'UPID:1', type: 'vzdump', id: '', node: 'pve1', endedAt: null, command: null };
  const seen = {
    running: [],
    ghosts: [],
    guests: [],
    storages: {
      whose: new Map([
        ['pbs01-tank', { is: 'here', why: 'its address' }],
        ['nfs', { is: 'elsewhere', why: 'of type nfs' }],
      ]),
      disabled: new Set(),
      misnamed: [],
      unseen: null,
    },
  };

  it('PVE 20: the order and case of tags make no difference to the lock', () => {
    const mine = 'pbs-ctl-lock+pbs01+k3f9x2+1764003600';
    const at = (tags: string[]) => seenAt('pbs-ctl-lock', [{ place: 900, tags }], 900, NOW);
    const asStored = at(['app', mine, 'zebra']);
    expect(asStored).toMatchObject({ kind: 'held', counts: { lock: { owner: 'pbs01', run: 'k3f9x2' } } });
    expect(at(['Zebra', 'app', mine])).toEqual(asStored);
  });
  it('PVE 21: a lock tag that a restore brought back is outlived by the one that lasts longer', () => {
    const tags = ['pbs-ctl-lock+old+r1+1763990000', 'pbs-ctl-lock+new+r2+1764003600'];
    expect(seenAt('pbs-ctl-lock', [{ place: 900, tags }], 900, NOW)).toMatchObject({
      counts: { lock: { owner: 'new' }, expired: false },
    });
  });
  it('PVE 24: a backup on a node that is offline is listed for ever, and does not block for ever', () => {
    const { status, summary } = judge(pveBackups, inCluster({ ...seen, ghosts: [vzdump] }));
    expect(status).toBe('warn');
    expect(summary).toContain('offline');
  });
  it('PVE 25: a token that cannot see its own tasks, lacking Sys.Audit on "/", is found beforehand', () => {
    const needs = neededOnPve(9, { guests: [900], carrier: 900, registeredTags: false });
    const missing = unmet(
      needs,
      new Map(
        needs.map(({ path, anyOf }) => [
          path,
          new Map(path === '/' ? [] : anyOf.map((each) => [each, true])),
        ]),
      ),
    );
    expect(
      judge(pveAccess, inCluster({ missing, asked: needs.length, token: 'a@pve!b', major: 9 })),
    ).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('Sys.Audit on / is missing'),
    });
  });
  it('PVE 30: a job without a storage goes where its nodes say, and to an unknown place where they say nothing', async () => {
    const job = { storage: null, node: null } as BackupJob;
    const storages: Storages = {
      whose: new Map([
        ['pbs01-tank', { is: 'here', why: 'its address' }],
        ['local', { is: 'elsewhere', why: 'of type dir' }],
      ]),
      disabled: new Set(),
      misnamed: [],
      unseen: null,
    };
    const to = (...defaults: (string | null)[]) => {
      const pve = { vzdumpStorage: async (node: string) => defaults[Number(node)] ?? null } as unknown as Pve;
      return destinationOfJob(job, pve, ['0', '1'], storages);
    };
    expect(await to('local', 'pbs01-tank')).toBe('here');
    expect(await to('local', 'local')).toBe('elsewhere');
    expect(await to('local', null)).toBe('unknown');
  });
  it('PVE 31: a job counts by the runs that PVE works out, and not at all where nodes differ in their time zone', () => {
    const job = { id: 'nightly', destination: 'here', needed: [], doubt: null, repeatMissed: false };
    const zones = ['Europe/Vienna', 'UTC'];
    expect(judge(pveSchedule, inCluster([{ ...job, runs: [NOW + 600] }] as never)).status).toBe('block');
    expect(judge(pveSchedule, inCluster([{ ...job, runs: null, zones }] as never))).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('different time zones (Europe/Vienna, UTC)'),
    });
  });
  it('PVE 32: a job without a node is one task for each node, and each of them counts', () => {
    const running = ['pve1', 'pve2'].map((node) => ({ ...vzdump, node }));
    const { summary } = judge(pveBackups, inCluster({ ...seen, running }));
    expect(summary).toContain('running on pve1');
    expect(summary).toContain('running on pve2');
  });
  it('PVE 34: a vzdump that still waits for the lock of its node names no storage, and counts', () => {
    const waiting = ['INFO: trying to get global lock - waiting...'];
    expect(readVzdump(waiting)).toBeNull();
    const running = [{ ...vzdump, command: readVzdump(waiting) }];
    expect(judge(pveBackups, inCluster({ ...seen, running })).status).toBe('block');
    const told = readVzdump([...waiting, 'INFO: starting new backup job: vzdump 101 --storage nfs']);
    expect(judge(pveBackups, inCluster({ ...seen, running: [{ ...vzdump, command: told }] })).status).toBe(
      'pass',
    );
  });
  it('PVE 50: a refresh of package lists is no sign of patching; an open shell may be one', () => {
    const quiet = {
      blockingTags: [],
      guests: [],
      registered: [],
      online: ['pve1'],
      ha: { nodeStatus: {}, nodeRequest: {}, lrm: {}, armed: null },
      nodes: [],
      nodeNow: NOW,
    };
    const task = (type: string) => ({ type, node: 'pve1', user: 'root@pam', endedAt: null });
    expect(judge(pvePatching, inCluster({ ...quiet, tasks: [task('aptupdate')] })).status).toBe('pass');
    expect(judge(pvePatching, inCluster({ ...quiet, tasks: [task('vncshell')] })).status).toBe('warn');
  });
});

describe('traps of the PBS API', () => {
  it('PBS 11: OldVersion is what is installed, Version what would be', () => {
    const first = Package.parse({ Package: 'a', OldVersion: '1', Version: '2', Origin: 'x' });
    expect(first).toMatchObject({ installed: '1', candidate: '2' });
  });
  it('PBS 12: helpers and meta packages are no kernels', () => {
    const packages = [
      'proxmox-kernel-helper',
      'proxmox-kernel-6.17',
      'proxmox-default-kernel',
      'proxmox-kernel-6.14.11-4-pve-signed',
      'proxmox-kernel-6.17.2-1-pve-signed',
    ];
    expect(installedKernels(packages).at(-1)).toBe('6.17.2-1-pve');
    expect(installedKernels(packages)).toHaveLength(2);
  });
  it('PBS 15: the list of tasks and the status of a task have different keys', () => {
    const upid = 'UPID:x';
    const listed = Task.parse({
      upid,
      worker_type: 'backup',
      worker_id: 'tank:vm/101',
      user: 'a@pbs',
      starttime: 1,
      status: 'OK',
      endtime: 2,
    });
    expect(listed).toMatchObject({ type: 'backup', status: 'OK' });
    expect(TaskStatus.parse({ upid, type: 'backup', status: 'stopped', exitstatus: 'OK' })).toEqual({
      running: false,
      exitStatus: 'OK',
    });
  });
  it('PBS 20: a task that the server does not know has not ended well', () => {
    const { exitStatus, running } = TaskStatus.parse({ status: 'stopped', exitstatus: 'unknown' });
    expect({ exitStatus, running }).toEqual({ exitStatus: 'unknown', running: false });
  });
  it('PBS 24: a sync job that a read-only datastore would fail blocks', () => {
    const sync = {
      kind: 'sync',
      id: 's1',
      store: 'tank',
      schedule: 'daily',
      disabled: false,
      running: false,
    };
    expect(judge(pbsJobs, { jobs: [{ ...sync, nextRun: NOW + 600 }], unknown: null })).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('sync s1'),
    });
  });
  it('PBS 26: a maintenance mode is the same with and without "type="', () => {
    const stored = Maintenance.parse('read-only,message=pbs-ctl run k3f9x2');
    expect(Maintenance.parse('type=read-only,message=pbs-ctl run k3f9x2')).toEqual(stored);
    expect(stored).toEqual({ type: 'read-only', message: 'pbs-ctl run k3f9x2' });
  });
  it('PBS 28: a datastore that is not mounted has no error, and is not healthy', () => {
    const usage = [DatastoreUsage.parse({ store: 'usb', 'mount-status': 'notmounted' })];
    const { status, summary } = judge(pbsDatastores, {
      datastores: [{ name: 'usb', maintenance: null, mounted: null }],
      usage,
      paths: new Map([['usb', '/mnt/usb']]),
      survey: null,
      surveyError: null,
      needsSurvey: false,
      orphans: [],
      ownRun: null,
    });
    expect({ status, summary }).toEqual({ status: 'block', summary: 'usb is not mounted' });
  });
  it('PBS 35: what the README grants on deeper paths takes away nothing that a run needs there', () => {
    const access = new Access();
    grantPbs(access, ['tank']);
    // An entry replaces what its path would inherit: here Audit of "/" is gone.
    expect(access.has('/tape', 'Sys.Audit')).toBe(false);
    const needs = neededOnPbs(['tank'], { fence: true, unit: null });
    expect(unmet(needs, new Map(needs.map(({ path }) => [path, access.effective(path)])))).toEqual([]);
  });
  it('PBS 31: a next run that has passed is due at any moment', () => {
    const verify = {
      kind: 'verify',
      id: 'v1',
      store: 'tank',
      schedule: 'daily',
      disabled: false,
      running: false,
    };
    expect(judge(pbsJobs, { jobs: [{ ...verify, nextRun: NOW - 3600 }], unknown: null }).status).toBe(
      'block',
    );
  });
});
