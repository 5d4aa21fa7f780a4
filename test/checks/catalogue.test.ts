import { describe, expect, expectTypeOf, it } from 'vitest';
import { CHECKS, type CheckId, checksOf } from '../../src/checks/catalogue.js';
import type { Check } from '../../src/checks/check.js';
import { ROUNDS, type Rules } from '../../src/rules/rounds.js';

/** The rules of all checks as they are meant to be: a change of one has to be made here too. */
const MEANT = `
  check           | preflight | drain | upgrade | reboot | unfence | softened by   | lasts
  pbs.api         | yes       |       | yes     | yes    |         |               |
  pbs.access      | yes       |       | yes     | yes    |         |               | a minute
  pbs.datastores  | yes       |       | yes     | yes    | yes     |               |
  pbs.tasks       | yes       | yes   | yes     | yes    |         | drain         |
  pbs.jobs        | yes       | yes   | yes     | yes    |         | ignore-window |
  pbs.apt         | yes       |       | yes     |        |         |               | a minute
  pbs.disk        | yes       |       | yes     | yes    | yes     |               |
  pve.api         | yes       |       | yes     | yes    |         |               | a minute
  pve.access      | yes       |       | yes     | yes    |         |               | a minute
  pve.quorum      | yes       |       | yes     | yes    |         |               |
  pve.backups     | yes       | yes   | yes     | yes    |         | drain         |
  pve.schedule    | yes       | yes   | yes     | yes    |         | ignore-window |
  pve.patching    | yes       | yes   | yes     | yes    |         |               |
  guest.vm        | yes       |       | yes     | yes    |         |               |
  guest.agent     | yes       |       | yes     | yes    |         |               | a minute
  guest.packages  | yes       |       | yes     | yes    | yes     | plan          | a minute
  host.identity   | yes       |       | yes     | yes    |         |               |
  lock.available  | yes       | yes   | yes     | yes    |         |               |
  clock.skew      | yes       |       | yes     | yes    |         |               | a minute
  policy.window   | yes       | yes   | yes     | yes    |         | ignore-window |
`;

const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the rules of the checks', () => {
  it('are these and no others', () => {
    const asked = (rules: Rules) =>
      (['preflight', 'drain', 'upgrade', 'reboot', 'unfence'] as const).map((round) =>
        rules.rounds.includes(round) ? 'yes' : '',
      );
    const written = CHECKS.map(({ id, rules }: Check) => [
      id,
      ...asked(rules),
      rules.softenedBy ?? '',
      rules.lasting ? 'a minute' : '',
    ]);
    expect(written).toEqual(rows(MEANT).slice(1));
  });

  it('ask all of them before anything is changed, and again under the lock', () => {
    for (const round of ['preflight', 'recheck'] as const) expect(checksOf(round)).toEqual(CHECKS);
  });

  it('make each gate ask everything that preflight asks, before the reboot but for what only an upgrade needs', () => {
    const ids = (round: (typeof ROUNDS)[number]) => checksOf(round).map(({ id }) => id);
    expect(ids('upgrade')).toEqual(ids('preflight'));
    const without = ids('preflight').filter((id) => !ids('reboot').includes(id));
    expect(without).toEqual(['pbs.apt']);
  });

  it('let no verdict last into a gate', () => {
    for (const { id, rules } of CHECKS as readonly Check[])
      expect({ id, lasting: rules.lasting ?? [] }).toEqual({
        id,
        lasting: expect.not.arrayContaining(['drain', 'upgrade', 'reboot', 'unfence']),
      });
  });

  it('give the ids their type: one that is mistyped does not compile', () => {
    expectTypeOf<'pve.backups'>().toExtend<CheckId>();
    // @ts-expect-error "pve.backup" is not a check
    const mistyped: CheckId = 'pve.backup';
    // @ts-expect-error "drian" is not a round
    const round: (typeof ROUNDS)[number] = 'drian';
    // @ts-expect-error "drained" softens nothing
    const softener: Rules['softenedBy'] = 'drained';
    expect(CHECKS.map(({ id }): string => id)).not.toContain(mistyped);
    expect(ROUNDS).not.toContain(round);
    expect(softener).toBeDefined();
  });
});
