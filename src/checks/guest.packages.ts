import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { block, check, pass, skip, warn } from './check.js';

/**
 * Are all packages configured, is apt free, and does the upgrade keep the protected packages? Before the reboot, and
 * with the service method, no plan is needed here; a dpkg that another user has started counts all the same.
 */
export const guestPackages = check({
  id: 'guest.packages',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  look: async (answers) => (answers.target.guest ? answers.survey() : null),
  judge(seen, { target: { policy, upgradeUnit }, round }) {
    if (!seen) return skip('the config names no guest');
    const { audit, aptLocks, plan, simulationError } = seen;
    if (aptLocks.length > 0) {
      return block(aptLocks.map(({ file, pid }) => `process ${pid} holds ${file}`).join('; '));
    }
    const isUpgraded = round === 'reboot';
    if (audit !== '' && (isUpgraded || !policy.repairDpkg)) {
      return block(`dpkg --audit reports: ${firstLines(audit)}`, {
        audit,
        hint: 'In the guest: dpkg --configure -a (or set policy.repairDpkg)',
      });
    }
    if (isUpgraded || upgradeUnit !== null) return pass('all packages are configured, apt is free');
    if (!plan) {
      return block(`the upgrade cannot be simulated: ${simulationError?.split('\n').at(-1) || 'no output'}`, {
        output: simulationError,
      });
    }
    const lost = plan.removed.filter(({ name }) => policy.protectedPackages.includes(name));
    if (lost.length > 0) return block(`the upgrade would remove ${lost.map(({ name }) => name).join(', ')}`);
    const remarks = [
      ...(audit === '' ? [] : ['dpkg --audit is not clean, dpkg --configure -a runs first']),
      ...(plan.removed.length === 0 ? [] : [`removes ${plan.removed.map(({ name }) => name).join(', ')}`]),
      ...(plan.held.length === 0 ? [] : [`held: ${plan.held.join(', ')}`]),
    ];
    const line = `${plan.upgraded.length} to upgrade, ${plan.installed.length} to install, ${plan.removed.length} to remove`;
    return remarks.length > 0 ? warn([line, ...remarks].join('; ')) : pass(line);
  },
});

const firstLines = (text: string) => text.split('\n').slice(0, 2).join(' ');
