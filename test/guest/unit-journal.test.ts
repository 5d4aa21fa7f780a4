import { describe, expect, it } from 'vitest';
import { readUnitJournal } from '../../src/guest/unit-journal.js';

const UNIT = 'pbs-ctl-upgrade.service';
const at = 'Nov 23 02:01:12 pbs01';
const begun = `${at} systemd[1]: Starting ${UNIT} - pbs-ctl upgrade...`;
const finished = `${at} systemd[1]: Finished ${UNIT} - pbs-ctl upgrade.`;
const failed = [
  `${at} systemd[1]: ${UNIT}: Main process exited, code=exited, status=100/n/a`,
  `${at} systemd[1]: ${UNIT}: Failed with result 'exit-code'.`,
  `${at} systemd[1]: Failed to start ${UNIT} - pbs-ctl upgrade.`,
];
const apt = (...lines: string[]) => lines.map((line) => `${at} sh[4711]: ${line}`);

describe('the journal of the unit that upgrades', () => {
  it.each`
    lines                        | hasBegun | ended                                               | because
    ${[]}                        | ${false} | ${null}                                             | ${'nothing was written yet'}
    ${[begun]}                   | ${true}  | ${null}                                             | ${'it runs'}
    ${[begun, finished]}         | ${true}  | ${{ kind: 'succeeded' }}                            | ${'systemd says so'}
    ${[begun, ...failed]}        | ${true}  | ${{ kind: 'failed', exitCode: 100, signal: false }} | ${'the script failed'}
    ${[begun, ...failed, begun]} | ${true}  | ${null}                                             | ${'only the last start counts'}
    ${[finished]}                | ${false} | ${null}                                             | ${'an end without a start is that of an earlier one'}
  `('begun: $hasBegun, ended: $ended when $because', ({ lines, hasBegun, ended }) => {
    expect(readUnitJournal(lines, UNIT)).toMatchObject({ hasBegun, ended });
  });

  it('says what dpkg has done, and what apt kept back', () => {
    const lines = [
      begun,
      ...apt(
        'pbs-ctl-plan upgrade openssl 1 2',
        'pbs-ctl-plan install proxmox-kernel-6.17.4-1-pve-signed 6.17.4-1',
        'pbs-ctl-plan autoremove libold1 1.0',
        'The following packages have been kept back:',
        '  postfix zlib1g',
        '1 upgraded, 1 newly installed, 0 to remove and 2 not upgraded.',
        'Unpacking openssl:amd64 (2) over (1) ...',
        'Unpacking proxmox-kernel-6.17.4-1-pve-signed (6.17.4-1) ...',
        'Removing libold1:amd64 (1.0) ...',
      ),
    ];
    expect(readUnitJournal(lines, UNIT)).toMatchObject({
      toDo: 3,
      removals: [{ name: 'libold1', from: '1.0', by: 'autoremove' }],
      changes: {
        upgraded: [{ name: 'openssl', from: '1', to: '2' }],
        installed: [{ name: 'proxmox-kernel-6.17.4-1-pve-signed', to: '6.17.4-1' }],
        removed: [{ name: 'libold1', from: '1.0', by: 'autoremove' }],
        held: ['postfix', 'zlib1g'],
      },
    });
  });

  it.each`
    lines                                                                                                                                    | toDo
    ${[]}                                                                                                                                    | ${null}
    ${['0 upgraded, 0 newly installed, 0 to remove and 9 not upgraded.']}                                                                    | ${0}
    ${['13 upgraded, 1 newly installed, 0 to remove and 1 not upgraded.', '0 upgraded, 0 newly installed, 0 to remove and 1 not upgraded.']} | ${14}
  `('had $toDo changes to make by its own words', ({ lines, toDo }) => {
    expect(readUnitJournal([begun, ...apt(...lines)], UNIT).toDo).toBe(toDo);
  });
});
