import { describe, expect, it } from 'vitest';
import { pbsDisk } from '../../src/checks/pbs.disk.js';
import { NO_SYMPTOMS } from '../guest/no-symptoms.js';
import { judge } from './judge.js';

describe('pbs.disk', () => {
  const seen = (available: number, symptoms: object = {}) => ({
    available,
    symptoms: { ...NO_SYMPTOMS, ...symptoms },
    stores: new Map([['tank', '/mnt/tank']]),
  });
  const sick = { diskErrors: [{ device: 'sdb', ofFileSystem: false, line: 'I/O error, dev sdb' }] };
  const small = { space: [{ target: '/boot', availableBytes: 2e6, totalBytes: 500e6 }] };

  it.each`
    what                              | given                                                        | round          | status     | because
    ${'as much room as is needed'}    | ${seen(2 ** 31)}                                             | ${'preflight'} | ${'pass'}  | ${''}
    ${'a byte less'}                  | ${seen(2 ** 31 - 1)}                                         | ${'preflight'} | ${'block'} | ${''}
    ${'a byte less'}                  | ${seen(2 ** 31 - 1)}                                         | ${'reboot'}    | ${'pass'}  | ${'the upgrade is done'}
    ${'a disk with errors'}           | ${seen(2 ** 31, sick)}                                       | ${'preflight'} | ${'block'} | ${'a datastore is on it'}
    ${'a disk with errors'}           | ${seen(2 ** 31, sick)}                                       | ${'reboot'}    | ${'block'} | ${'a sick disk is not rebooted'}
    ${'a disk with errors'}           | ${seen(2 ** 31, sick)}                                       | ${'unfence'}   | ${'block'} | ${'backups do not resume on it'}
    ${'a full /boot'}                 | ${seen(2 ** 31, small)}                                      | ${'reboot'}    | ${'block'} | ${'it may not boot'}
    ${'a full /boot'}                 | ${seen(2 ** 31, small)}                                      | ${'unfence'}   | ${'warn'}  | ${'backups do not need it'}
    ${'a read-only root file system'} | ${seen(2 ** 31, { readOnlyMounts: ['/'] })}                  | ${'unfence'}   | ${'block'} | ${''}
    ${'a log that cannot be read'}    | ${seen(2 ** 31, { diskErrors: null })}                       | ${'preflight'} | ${'warn'}  | ${''}
    ${'a guest that is not asked'}    | ${{ available: 2 ** 31, symptoms: null, stores: new Map() }} | ${'preflight'} | ${'pass'}  | ${'guest.agent reports it'}
  `('says $status in round $round of $what $because', ({ given, round, status }) =>
    expect(judge(pbsDisk, given, {}, { round }).status).toBe(status),
  );
});
