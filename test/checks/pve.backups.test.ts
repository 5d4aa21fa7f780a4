import { describe, expect, it } from 'vitest';
import { DatastoreUsage } from '../../src/api/pbs-answers.js';
import { pveBackups } from '../../src/checks/pve.backups.js';
import { pveSchedule } from '../../src/checks/pve.schedule.js';
import { judge, NOW } from './judge.js';

describe('two answers that contradict each other', () => {
  const storages = { whose: new Map(), disabled: new Set(), misnamed: [], unseen: 'none leads here' };
  const seen = (unlisted: string[]) => [
    ['main', { running: [], ghosts: [], storages, guests: [], unlisted }],
  ];

  it('block: PVE lists no storage, and a job names one', () => {
    expect(judge(pveBackups, seen(['pbs01-tank']))).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('lists no storage at all, and its backup jobs write to pbs01-tank'),
    });
    expect(judge(pveBackups, seen([])).status).toBe('warn');
  });

  it('block: a job has a next run, and its schedule none', () => {
    const job = { id: 'nightly', destination: 'here', needed: [], doubt: null, repeatMissed: false };
    const far = [['main', [{ ...job, runs: [NOW + 864_000], unsure: true }]]];
    expect(judge(pveSchedule, far)).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('it cannot be known when nightly runs'),
    });
  });

  it.each`
    answer                                            | error                                      | because
    ${{ store: 'tank' }}                              | ${'it reports neither sizes nor an error'} | ${'nothing says that it is well'}
    ${{ store: 'tank', total: null, used: null }}     | ${'it reports neither sizes nor an error'} | ${'nothing says that it is well'}
    ${{ store: 'tank', total: 9, used: 1, avail: 8 }} | ${null}                                    | ${'it has sizes'}
    ${{ store: 'tank', error: 'EIO' }}                | ${'EIO'}                                   | ${'it says itself what is wrong'}
    ${{ store: 'usb', 'mount-status': 'notmounted' }} | ${null}                                    | ${'one that is not mounted has none of either'}
  `('make a datastore one with an error: $answer, since $because', ({ answer, error }) =>
    expect(DatastoreUsage.parse(answer).error).toBe(error),
  );
});
