import type { Survey } from '../guest/survey.js';
import { block, type Check, pass, skip, warn } from './check.js';

/** Are all packages configured, is apt free, and does the upgrade keep the protected packages? */
export const guestPackages: Check<Pick<Survey, 'audit' | 'aptLocks' | 'plan' | 'simulationError'> | null> = {
  id: 'guest.packages',
  lasting: true,
  look: async (answers) =>
    answers.target.guest && answers.target.upgradeUnit === null ? answers.survey() : null,
  judge(seen, { target: { policy } }) {
    if (!seen) return skip('the upgrade does not go through the guest agent');
    const { audit, aptLocks, plan, simulationError } = seen;
    if (aptLocks.length > 0) {
      return block(aptLocks.map(({ file, pid }) => `process ${pid} holds ${file}`).join('; '));
    }
    if (audit !== '' && !policy.repairDpkg) {
      return block(`dpkg --audit reports: ${firstLines(audit)}`, {
        audit,
        hint: 'In the guest: dpkg --configure -a (or set policy.repairDpkg)',
      });
    }
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
};

const firstLines = (text: string) => text.split('\n').slice(0, 2).join(' ');
