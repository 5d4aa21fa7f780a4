import { describe, expect, it } from 'vitest';
import { ApiFault } from '../../src/api/failure.js';
import { judgeToken, refusedToken } from '../../src/setup/token.js';

const NOW = Date.parse('2026-11-23T02:00:00Z');
const inDays = (days: number) => NOW / 1000 + days * 86_400 + 60;
const PBS = { subject: 'host pbs01', product: 'pbs', token: 'pbs-ctl@pbs!patch', where: 'pbs01' } as const;
const PVE = { subject: 'cluster main', product: 'pve', token: 'pbs-ctl@pve!patch', where: 'pve1' } as const;
const judged = (known: typeof PBS | typeof PVE, expiresAt: number | null, userExpiresAt?: number | null) =>
  judgeToken(known, '4.2.3', { expiresAt, userExpiresAt, separated: true }, NOW, 1800);
const commandsOf = ({ fixes }: { fixes: ReadonlyArray<{ commands: readonly string[] }> }) =>
  fixes.flatMap(({ commands }) => commands);

describe('when a token ends', () => {
  it.each`
    token               | user           | status     | summary                                                                            | because
    ${null}             | ${null}        | ${'pass'}  | ${/ and does not expire$/}                                                         | ${'neither has an end'}
    ${inDays(5)}        | ${null}        | ${'warn'}  | ${/ is accepted \(PBS 4\.2\.3\); it ends at 2026-11-28 02:01 UTC \(in 5d 0h\)$/}   | ${'the token ends'}
    ${null}             | ${inDays(5)}   | ${'warn'}  | ${/; it ends, with its user, at 2026-11-28 02:01 UTC /}                            | ${'its user ends'}
    ${inDays(400)}      | ${inDays(5)}   | ${'warn'}  | ${/; it ends, with its user, at 2026-11-28 02:01 UTC /}                            | ${'its user ends first'}
    ${inDays(40)}       | ${inDays(400)} | ${'pass'}  | ${/; it ends at 2027-01-02 02:01 UTC \(in 40d 0h\)$/}                              | ${'it ends first'}
    ${NOW / 1000 + 600} | ${null}        | ${'block'} | ${/; it ends at 2026-11-23 02:10 UTC \(in 10m 00s\), before a run would be over$/} | ${'a run takes longer'}
    ${NOW / 1000 - 60}  | ${null}        | ${'block'} | ${/; it ended at 2026-11-23 01:59 UTC/}                                            | ${'it has ended'}
    ${null}             | ${undefined}   | ${'pass'}  | ${/whether its user expires is not known$/}                                        | ${'the user may not be seen'}
  `('is known: $because', ({ token, user, status, summary }) =>
    expect(judged(PBS, token, user)).toMatchObject({ status, summary: expect.stringMatching(summary) }),
  );

  it('is put off by a command for each of the two that end soon', () => {
    expect(commandsOf(judged(PBS, inDays(10), inDays(5)))).toEqual([
      'proxmox-backup-manager user update pbs-ctl@pbs --expire 0',
      'proxmox-backup-debug api set /access/users/pbs-ctl@pbs/token/patch --expire 0',
    ]);
    expect(commandsOf(judged(PVE, null, inDays(5)))).toEqual(['pveum user modify pbs-ctl@pve -expire 0']);
  });
});

describe('a token that is refused', () => {
  const refused = (words: string) =>
    refusedToken(
      PBS,
      new ApiFault(
        'api.unauthorized',
        'refused',
        { method: 'GET', path: '/version' },
        { status: 401, words },
        { denied: 'token' },
      ),
      [],
    );
  const [renew, enable] = ['--regenerate 1', '--enable 1'];

  // PBS 3.4, and from 4.1 on.
  it.each`
    words                                           | printed            | kept
    ${'invalid credentials'}                        | ${[renew]}         | ${[enable]}
    ${'user account or token disabled or expired.'} | ${[enable]}        | ${[renew]}
    ${'authentication failed'}                      | ${[renew, enable]} | ${[]}
  `('gets the commands that "$words" leaves open', ({ words, printed, kept }) => {
    const commands = commandsOf(refused(words)).join('\n');
    for (const part of printed) expect(commands).toContain(part);
    for (const part of kept) expect(commands).not.toContain(part);
    expect(commands).not.toContain('delete-token');
  });
});
