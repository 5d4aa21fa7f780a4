import { afterAll, describe, expect, it } from 'vitest';
import { takeSurvey } from '../../src/guest/survey.js';
import { UPGRADE_EXIT, type UpgradeOrder, upgradeScript } from '../../src/guest/upgrade-script.js';
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
  protectedPackages: ['proxmox-backup-server'],
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
});
