import { describe, expect, it } from 'vitest';
import type { PbsTask } from '../../src/api/pbs.js';
import { blocksReboot, pbsTasks } from '../../src/checks/pbs.tasks.js';
import { judge, NOW } from './judge.js';

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
      judge(pbsTasks, { tasks: [], operations: [{ datastore: 'tank', read: 0, write: 0 }], lingering: [] })
        .status,
    ).toBe('pass'));
  it('blocks for a running backup, in words', () =>
    expect(
      judge(pbsTasks, { tasks: [task('backup', 'tank:vm/101')], operations: [], lingering: [] }),
    ).toMatchObject({
      status: 'block',
      summary: 'backup of tank:vm/101 is running',
    }));
  it('says since when a task runs and whose it is; of an old one also how to look at it and to end it', () => {
    const running = (seconds: number) => ({
      tasks: [{ ...task('backup', 'tank:vm/101'), startedAt: NOW - seconds, user: 'b@pbs!x' }],
      operations: [],
      lingering: [],
    });
    const young = judge(pbsTasks, running(600));
    expect(young.summary).toBe(
      'backup of tank:vm/101 is running since 2025-11-24 15:50 UTC (10m 00s), by b@pbs!x',
    );
    expect(young.fixes).toBeUndefined();
    const old = judge(pbsTasks, running(3 * 86_400));
    expect(old.summary).toMatch(/ since 2025-11-21 16:00 UTC \(3d 0h\), by b@pbs!x$/);
    expect(old.fixes).toEqual([
      {
        where: 'pbs01',
        commands: [
          "proxmox-backup-manager task log 'UPID:backup'",
          "proxmox-backup-manager task stop 'UPID:backup'",
        ],
      },
    ]);
  });
  it('blocks for an unknown type', () =>
    expect(judge(pbsTasks, { tasks: [task('new-thing')], operations: [], lingering: [] }).status).toBe(
      'block',
    ));
  it('lets the task of the run itself pass, and no other of its kind', () => {
    const tasks = [task('srvstart', 'pbs-ctl-upgrade.service')];
    const asking = { round: 'reboot', ownTasks: ['UPID:srvstart'] } as const;
    expect(judge(pbsTasks, { tasks, operations: [], lingering: [] }, {}, asking).status).toBe('pass');
    expect(judge(pbsTasks, { tasks, operations: [], lingering: [] }).status).toBe('block');
  });
  it.each`
    read | write | lingering   | tasks | status     | because
    ${1} | ${0}  | ${['tank']} | ${[]} | ${'block'} | ${'the reader stays, and no task explains it'}
    ${0} | ${1}  | ${[]}       | ${[]} | ${'block'} | ${'a writer counts at once'}
    ${0} | ${0}  | ${[]}       | ${[]} | ${'pass'}  | ${'a reader that went away was a look of another client'}
  `(
    '$read reading, $write writing without a task: $status, since $because',
    ({ read, write, lingering, tasks, status }) => {
      const judgement = judge(pbsTasks, {
        tasks,
        operations: [{ datastore: 'tank', read, write }],
        lingering,
      });
      expect(judgement.status).toBe(status);
      if (status === 'pass') return;
      expect(judgement.summary).toBe(
        `tank: ${read} reading, ${write} writing, and no task that would explain it`,
      );
      expect(judgement.fixes).toEqual([
        { where: 'pbs01', commands: ['systemctl restart proxmox-backup-proxy.service'] },
      ]);
    },
  );
  it('explains an operation by the task that it belongs to, and does not advise to restart anything', () => {
    const tasks = [task('backup', 'tank:vm/101')];
    const judgement = judge(pbsTasks, {
      tasks,
      operations: [{ datastore: 'tank', read: 0, write: 1 }],
      lingering: [],
    });
    expect(judgement.summary).toBe('backup of tank:vm/101 is running; tank: 0 reading, 1 writing');
    expect(judgement.fixes).toBeUndefined();
  });
});
