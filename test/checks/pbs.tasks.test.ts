import { describe, expect, it } from 'vitest';
import type { PbsTask } from '../../src/api/pbs.js';
import { blocksReboot, pbsTasks } from '../../src/checks/pbs.tasks.js';
import { judge } from './judge.js';

describe('the gate of running tasks', () => {
  it.each([
    'backup',
    'reader',
    'prune',
    'prunejob',
    'garbage_collection',
    'verify',
    'verificationjob',
    'sync',
    'syncjob',
    'tape-backup',
    'aptupdate',
    'termproxy',
    'zfscreate',
    'something-new',
  ])('blocks for %s', (type) => expect(blocksReboot(type)).toBe(true));
  it.each(['logrotate'])('lets %s pass', (type) => expect(blocksReboot(type)).toBe(false));
});

describe('pbs.tasks', () => {
  const task = (type: string, id: string | null = null): Partial<PbsTask> => ({
    upid: `UPID:${type}`,
    type,
    id,
  });
  it('passes where nothing runs', () =>
    expect(
      judge(pbsTasks, { tasks: [], operations: [{ datastore: 'tank', read: 0, write: 0 }] }).status,
    ).toBe('pass'));
  it('blocks for a running backup, in words', () =>
    expect(judge(pbsTasks, { tasks: [task('backup', 'tank:vm/101')], operations: [] })).toMatchObject({
      status: 'block',
      summary: 'backup of tank:vm/101 is running',
    }));
  it('blocks for a type that nobody knows', () =>
    expect(judge(pbsTasks, { tasks: [task('new-thing')], operations: [] }).status).toBe('block'));
  it('lets the task of the run itself pass, and no other of its kind', () => {
    const tasks = [task('srvstart', 'pbs-ctl-upgrade.service')];
    const asking = { round: 'reboot', ownTasks: ['UPID:srvstart'] } as const;
    expect(judge(pbsTasks, { tasks, operations: [] }, {}, asking).status).toBe('pass');
    expect(judge(pbsTasks, { tasks, operations: [] }).status).toBe('block');
  });
  it('blocks for an active operation without a task', () =>
    expect(
      judge(pbsTasks, { tasks: [], operations: [{ datastore: 'tank', read: 1, write: 0 }] }),
    ).toMatchObject({
      status: 'block',
      summary: 'tank: 1 reading, 0 writing',
    }));
});
