import { afterAll, describe, expect, it } from 'vitest';
import { planDigest, wholePlan } from '../../src/guest/apt.js';
import { takeSurvey } from '../../src/guest/survey.js';
import { UPGRADE_EXIT, type UpgradeOrder, upgradeScript } from '../../src/guest/upgrade-script.js';
import { protectedOn } from '../../src/rules/upgrade-plan.js';
import { AptWorld, type Deb, hasApt } from '../support/apt-world.js';

const worlds: AptWorld[] = [];
afterAll(() => {
  for (const world of worlds) world.end();
});
const world = (installed: readonly Deb[], available: readonly Deb[], conf = ''): AptWorld => {
  const made = new AptWorld(installed, available);
  if (conf) made.configure(conf);
  worlds.push(made);
  return made;
};
const ORDER: UpgradeOrder = {
  repairDpkg: false,
  cleanup: true,
  protectedPackages: [],
};
const upgrade = (made: AptWorld, order: Partial<UpgradeOrder> = {}) => {
  const { code } = made.sh(upgradeScript({ ...ORDER, ...order }, `${made.root}/run`));
  return { code, log: made.read('run/log') };
};
const pbs: Deb = { name: 'proxmox-backup-server', version: '4.1.0-1', fields: { Depends: 'liba' } };
const liba: Deb = { name: 'liba', version: '1' };
/** A new version of a library with which proxmox-backup-server cannot stay. */
const hostile: Deb = { name: 'liba', version: '2', fields: { Breaks: 'proxmox-backup-server' } };

describe.skipIf(!hasApt)('with the real apt and dpkg', () => {
  it.each([
    '',
    'APT::Get::Purge "true";',
  ])('an upgrade that takes proxmox-backup-server away is seen, and refused by the script (apt.conf: "%s")', async (conf) => {
    const made = world([pbs, liba], [pbs, hostile], conf);
    const { plan } = await takeSurvey(made.guest());
    expect(plan?.removed.map(({ name }) => name)).toEqual(['proxmox-backup-server']);
    expect(upgrade(made).code).toBe(UPGRADE_EXIT.removesProtected);
    expect(made.packages()).toEqual({ 'proxmox-backup-server': '4.1.0-1', liba: '1' });
  });

  /** What preflight would decide, and the script with that plan. */
  const decided = async (made: AptWorld) => {
    const survey = await takeSurvey(made.guest());
    const isProtected = protectedOn({ protectedPackages: [] }, survey.carriers);
    if (!survey.plan) throw new Error(survey.simulationError ?? '');
    const plan = wholePlan(survey.plan, survey.autoremove, isProtected);
    const removals = plan.removed.filter(({ by }) => by === 'upgrade').map(({ name }) => name);
    return { survey, plan, order: { removals, planDigest: planDigest(plan) } };
  };

  it('the script computes the digest of the plan that the survey shows: upgrades, new packages, removals, autoremove', async () => {
    const made = world(
      [
        pbs,
        liba,
        { name: 'odd+name', version: '1:2.0~rc1-1' },
        { name: 'loser', version: '1' },
        { name: 'spare', version: '1', auto: true },
      ],
      [
        pbs,
        { name: 'liba', version: '2', fields: { Depends: 'newcomer', Breaks: 'loser' } },
        { name: 'newcomer', version: '0.1' },
        { name: 'odd+name', version: '1:2.0-1' },
      ],
    );
    const { plan, order } = await decided(made);
    expect(plan.removed).toEqual([
      { name: 'loser', from: '1', by: 'upgrade' },
      { name: 'spare', from: '1', by: 'autoremove' },
    ]);
    expect(plan.upgraded[0]?.origin).toMatch(/Proxmox Backup Server/);
    expect(upgrade(made, { ...order, planDigest: 'f'.repeat(64) })).toMatchObject({
      code: UPGRADE_EXIT.planChanged,
      log: expect.stringContaining('pbs-ctl-exit 87: the plan is another one now'),
    });
    expect(upgrade(made, { ...order, removals: [] }).code).toBe(UPGRADE_EXIT.removesMore);
    expect(made.packages().liba).toBe('1');
    expect(upgrade(made, order).code).toBe(0);
    expect(made.packages()).toEqual({
      'proxmox-backup-server': '4.1.0-1',
      liba: '2',
      newcomer: '0.1',
      'odd+name': '1:2.0-1',
    });
  });

  it('autoremove takes what only the upgrade makes superfluous, as both simulated together say', async () => {
    const made = world(
      [
        { name: 'tool', version: '1', fields: { Depends: 'libold' } },
        { name: 'libold', version: '1', auto: true },
      ],
      [{ name: 'tool', version: '2' }],
    );
    const { plan, order } = await decided(made);
    expect(plan.removed).toEqual([{ name: 'libold', from: '1', by: 'autoremove' }]);
    expect(upgrade(made, order).code).toBe(0);
    expect(made.packages()).toEqual({ tool: '2' });
  });

  it('a kernel that becomes superfluous only once the new one is installed stays for the next run', async () => {
    const kernel = (release: string, scripts: Deb['scripts'] = {}): Deb => ({
      name: `proxmox-kernel-${release}-pve-signed`,
      version: '1',
      auto: true,
      scripts,
    });
    const made = world(
      [
        {
          name: 'proxmox-default-kernel',
          version: '1',
          fields: { Depends: 'proxmox-kernel-6.8.12-2-pve-signed' },
        },
        kernel('6.8.12-1'),
        kernel('6.8.12-2'),
      ],
      [
        {
          name: 'proxmox-default-kernel',
          version: '2',
          fields: { Depends: 'proxmox-kernel-6.8.12-3-pve-signed' },
        },
        // As proxmox-auto-removal of proxmox-kernel-helper does: the newest two stay.
        kernel('6.8.12-3', {
          postinst: `echo 'APT::NeverAutoRemove { "^proxmox-kernel-6[.]8[.]12-[23]-pve-signed$"; };' >$WORLD/etc/apt/apt.conf.d/99test`,
        }),
      ],
      'APT::NeverAutoRemove { "^proxmox-kernel-6[.]8[.]12-[12]-pve-signed$"; };',
    );
    // The first one would be protected if it ran.
    made.kernel = '6.8.12-2-pve';
    const { plan, order } = await decided(made);
    expect(plan.removed).toEqual([]);
    expect(upgrade(made, order).code).toBe(0);
    expect(Object.keys(made.packages())).toContain('proxmox-kernel-6.8.12-1-pve-signed');
    const next = await decided(made);
    expect(next.plan.removed.map(({ name }) => name)).toEqual(['proxmox-kernel-6.8.12-1-pve-signed']);
    expect(upgrade(made, next.order).code).toBe(0);
    expect(Object.keys(made.packages())).not.toContain('proxmox-kernel-6.8.12-1-pve-signed');
  });

  it('what is protected is not taken by autoremove, and the rest of it goes', async () => {
    const made = world(
      [
        { name: 'zfsutils-linux', version: '1', auto: true },
        { name: 'proxmox-kernel-6.8.12-1-pve-signed', version: '1', auto: true },
        { name: 'spare', version: '1', auto: true },
      ],
      [],
    );
    const { plan, order } = await decided(made);
    expect(plan.removed.map(({ name }) => name)).toEqual(['spare']);
    expect(upgrade(made, order).code).toBe(0);
    expect(Object.keys(made.packages())).toEqual(['proxmox-kernel-6.8.12-1-pve-signed', 'zfsutils-linux']);
  });

  it('another major release is refused by the script, with both versions', () => {
    const made = world(
      [{ name: 'base-files', version: '12.4+deb12u12' }],
      [{ name: 'base-files', version: '13.8' }],
    );
    expect(upgrade(made)).toMatchObject({
      code: UPGRADE_EXIT.majorRelease,
      log: expect.stringContaining('base-files 12.4+deb12u12 -> 13.8'),
    });
  });

  it('what apt keeps back is named, and what is held is not among it', async () => {
    const made = world(
      [pbs, liba, { name: 'held-one', version: '1', status: 'hold ok installed' }],
      [
        { name: 'proxmox-backup-server', version: '4.1.2-1', fields: { Depends: 'nowhere' } },
        { name: 'held-one', version: '2' },
        { name: 'liba', version: '2' },
      ],
    );
    const { plan, whyKeptBack } = await takeSurvey(made.guest());
    expect(whyKeptBack.get('proxmox-backup-server')).toBe('Depends: nowhere but it is not installable');
    expect(plan).toMatchObject({ keptBack: ['proxmox-backup-server'], held: ['held-one'] });
    expect(plan?.upgraded.map(({ name }) => name)).toEqual(['liba']);
  });

  it('a package without md5sums is whole; one that is half configured, unpacked or waits for a trigger is not', async () => {
    const made = world(
      [
        { name: 'vendor', version: '1', files: { '/opt/vendor': 'x' } },
        { name: 'half', version: '1', files: { '/opt/half': 'x' } },
      ],
      [],
    );
    made.remove('var/lib/dpkg/info/vendor.md5sums');
    expect(made.sh('dpkg --audit').stdout).toContain('md5sums');
    expect((await takeSurvey(made.guest())).audit).toBe('');
    for (const state of ['half-configured', 'unpacked', 'half-installed', 'triggers-pending']) {
      made.write(
        'var/lib/dpkg/status',
        made
          .read('var/lib/dpkg/status')
          .replace(
            /(Package: half\nStatus: install ok) .*\n(?:Triggers-Pending: .*\n)?/,
            `$1 ${state}\n${state === 'triggers-pending' ? 'Triggers-Pending: /usr/share/man\n' : ''}`,
          ),
      );
      const { audit } = await takeSurvey(made.guest());
      expect({ state, named: audit.includes('half'), vendor: audit.includes('vendor') }).toEqual({
        state,
        named: true,
        vendor: false,
      });
    }
  });

  it('a warning on stderr is not part of an answer: a repository that is named twice holds nothing', async () => {
    const made = world([liba], []);
    const line = made.read('etc/apt/sources.list');
    const twice = 'deb [trusted=yes] copy:/nowhere stable main\n';
    made.write('etc/apt/sources.list', line + twice + twice);
    expect(made.sh('apt-mark showhold').stderr).toContain('W: Target Packages');
    expect((await takeSurvey(made.guest())).plan?.held).toEqual([]);
  });
});
