import { describe, expect, it } from 'vitest';
import { packageChanges, planDigest, readPlan, readProgress } from '../../src/guest/apt.js';

const SIMULATION = `Reading package lists...
The following packages have been kept back:
  held-one
2 upgraded, 1 newly installed, 1 to remove and 1 not upgraded.
Remv old-tool [1.0-1]
Inst perl-base [5.36.0-7] (5.36.0-8 Debian-Security:12/oldstable-security [amd64])
Inst apt [2.6.1] (2.6.2 Debian:12/oldstable [amd64]) [apt-utils:amd64 ]
Inst proxmox-kernel-6.17.4-1-pve-signed (6.17.4-1 Proxmox:13/stable [amd64])
Conf perl-base (5.36.0-8 Debian-Security:12/oldstable-security [amd64])
`;

describe('what apt says', () => {
  it('is read as upgrades, new packages and removals; Conf changes nothing', () => {
    expect(readPlan(SIMULATION, ['held-one'])).toEqual({
      upgraded: [
        {
          name: 'perl-base',
          from: '5.36.0-7',
          to: '5.36.0-8',
          origin: 'Debian-Security:12/oldstable-security',
        },
        { name: 'apt', from: '2.6.1', to: '2.6.2', origin: 'Debian:12/oldstable' },
      ],
      installed: [
        { name: 'proxmox-kernel-6.17.4-1-pve-signed', to: '6.17.4-1', origin: 'Proxmox:13/stable' },
      ],
      removed: [{ name: 'old-tool', from: '1.0-1', by: 'upgrade' }],
      held: ['held-one'],
      keptBack: [],
    });
  });

  it('takes "Purg" for a removal, which apt prints where APT::Get::Purge is set', () => {
    expect(readPlan('Purg proxmox-backup-server [4.1.0-1]\n', []).removed).toEqual([
      { name: 'proxmox-backup-server', from: '4.1.0-1', by: 'upgrade' },
    ]);
  });

  it('gives the same digest whatever its order, and another for another version', () => {
    const plan = readPlan(SIMULATION, []);
    expect(planDigest({ ...plan, upgraded: [...plan.upgraded].reverse() })).toBe(planDigest(plan));
    expect(planDigest({ ...plan, upgraded: plan.upgraded.slice(1) })).not.toBe(planDigest(plan));
  });

  it.each`
    line                                                       | percent    | stage
    ${'dlstatus:2:18.4888:Retrieving file 2 of 14'}            | ${18.4888} | ${'download'}
    ${'pmstatus:perl-base:1.7544:Unpacking perl-base (amd64)'} | ${1.7544}  | ${'install'}
    ${'pmerror:e2e-conf:40.0000:end of file on stdin: no'}     | ${40}      | ${'install'}
  `('reads the status line $line', ({ line, percent, stage }) => {
    expect(readProgress(line)).toMatchObject({ percent, stage });
  });

  it('takes nothing for progress that is none', () => {
    expect(readProgress('')).toBeNull();
    expect(readProgress('Setting up apt (2.6.2) ...')).toBeNull();
  });

  it('tells what really changed from before and after', () => {
    const changes = packageChanges(
      new Map([
        ['a', '1'],
        ['b', '1'],
        ['c', '1'],
      ]),
      new Map([
        ['a', '2'],
        ['b', '1'],
        ['d', '1'],
      ]),
      { held: [], keptBack: ['a'], removed: [{ name: 'c', from: '1', by: 'autoremove' }] },
    );
    expect(changes).toEqual({
      upgraded: [{ name: 'a', from: '1', to: '2' }],
      installed: [{ name: 'd', to: '1' }],
      removed: [{ name: 'c', from: '1', by: 'autoremove' }],
      held: [],
      keptBack: ['a'],
    });
  });
});
