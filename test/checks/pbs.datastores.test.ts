import { describe, expect, it } from 'vitest';
import { DatastoreConfigs } from '../../src/api/pbs-answers.js';
import { pbsDatastores } from '../../src/checks/pbs.datastores.js';
import { NO_SYMPTOMS } from '../guest/no-symptoms.js';
import { judge } from './judge.js';

describe('pbs.datastores', () => {
  const seen = (store: object = {}, usage: object | null = {}, inside: object | null = {}) => ({
    datastores: [{ name: 'tank', maintenance: null, mounted: null, ...store }],
    usage: usage
      ? [{ name: 'tank', error: null, mounted: null, total: 1, used: 1, available: 0, ...usage }]
      : [],
    paths: new Map([['tank', '/mnt/tank']]),
    survey: inside && { ...NO_SYMPTOMS, ...inside },
    surveyError: inside ? null : { code: 'agent.not-running', message: 'the guest agent is not running' },
    needsSurvey: true,
    orphans: [] as object[],
  });
  it.each([
    ['is well', seen(), 'pass'],
    ['reports an error', seen({}, { error: 'unable to open chunk store' }), 'block'],
    ['reports no usage', seen({}, null), 'block'],
    ['is not in the configuration, by which fences go', { ...seen(), paths: new Map() }, 'block'],
    [
      'is configured, beside another one that PBS does not list',
      {
        ...seen(),
        paths: new Map([
          ['tank', '/mnt/tank'],
          ['vault', '/mnt/vault'],
        ]),
      },
      'block',
    ],
    ['is offline', seen({ maintenance: { type: 'offline', message: 'disks' } }), 'block'],
    ['is being deleted', seen({ maintenance: { type: 'delete', message: null } }), 'block'],
    [
      'is read-only, set by another user',
      seen({ maintenance: { type: 'read-only', message: 'audit' } }),
      'warn',
    ],
    [
      'is fenced by this very run',
      seen({ maintenance: { type: 'read-only', message: 'pbs-ctl run k3f9x2 since now' } }),
      'pass',
    ],
    [
      'is fenced by another run that will lift it',
      seen({ maintenance: { type: 'read-only', message: 'pbs-ctl run other1 since now' } }),
      'warn',
    ],
    [
      'is fenced by a run that no lock and no journal accounts for',
      {
        ...seen({ maintenance: { type: 'read-only', message: 'pbs-ctl run other1 since now' } }),
        orphans: [{ datastore: 'tank', run: 'other1' }],
      },
      'block',
    ],
    ['is not mounted', seen({ mounted: false }), 'block'],
    [
      'is in fstab but not mounted',
      seen({}, {}, { mounts: [{ target: '/', source: 'a' }], missingMounts: ['/mnt/tank'] }),
      'block',
    ],
    [
      'shares the root file system',
      seen({}, {}, { mounts: [{ target: '/', source: 'a' }], fstab: ['/'] }),
      'warn',
    ],
    ['is mounted read-only', seen({}, {}, { readOnlyMounts: ['/mnt/tank'] }), 'block'],
    ['is in a guest that does not answer', seen({}, {}, null), 'block'],
  ])('judges one that %s', (_, given, status) => expect(judge(pbsDatastores, given).status).toBe(status));
  it('may be away where the policy says so, and is told how to say so', () => {
    const away = { ...seen({ mounted: false }, { mounted: false }) };
    expect(judge(pbsDatastores, away)).toMatchObject({
      status: 'block',
      summary: 'tank is not mounted',
      detail: { hint: expect.stringContaining('policy.mayBeAway: tank') },
    });
    expect(judge(pbsDatastores, away, { mayBeAway: ['tank'] })).toMatchObject({
      status: 'warn',
      summary: '0 present and accessible; tank is away, which mayBeAway allows',
    });
  });

  it('lies below /mnt/datastore where it is removable: its path is relative to its device', () => {
    const config = { name: 'usb', path: 'backups', 'backing-device': '0a1b2c3d' };
    const other = { name: 'tank', path: '/mnt/tank' };
    const { datastores } = DatastoreConfigs.parse({ data: [config, other], digest: 'd' });
    expect(datastores.map(({ path }) => path)).toEqual(['/mnt/tank', '/mnt/datastore/usb']);
  });

  it.each([
    ['is mounted read-only holds back', seen({}, {}, { readOnlyMounts: ['/mnt/tank'] }), 'block'],
    ['has an error holds back', seen({}, { error: 'unable to open chunk store' }), 'block'],
    [
      'another user has set offline does not hold back',
      seen({ maintenance: { type: 'offline', message: 'disks' } }),
      'pass',
    ],
  ])('before the fence is lifted: one that %s the fence', (_, given, status) =>
    expect(judge(pbsDatastores, given, {}, { round: 'unfence' }).status).toBe(status));
  it('says of a guest that does not answer that its mounts are not known, which is no finding about them', () =>
    expect(judge(pbsDatastores, seen({}, {}, null)).detail).toEqual({ error: 'agent.not-running' }));
  it('says that s3-refresh can stay set, with the command that clears it', () =>
    expect(judge(pbsDatastores, seen({ maintenance: { type: 's3-refresh', message: null } }))).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('stays set when its task fails'),
      fixes: [{ commands: ['proxmox-backup-manager datastore update tank --delete maintenance-mode'] }],
    }));
  it('blocks where the token sees none', () =>
    expect(judge(pbsDatastores, { ...seen(), datastores: [] }).status).toBe('block'));
});
