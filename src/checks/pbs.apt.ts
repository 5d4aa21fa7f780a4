import { A_MINUTE, UNTIL_UPGRADED } from '../rules/rounds.js';
import { block, check, pass, warn } from './check.js';

/** What apt skips because of its name, such as `README` or `pbs.list.old`. */
const isIgnored = ({ error }: { readonly error: string }) => /invalid extension/.test(error);

/** Can packages be installed: no repository with an error, and at least one of Proxmox enabled? */
export const pbsApt = check({
  id: 'pbs.apt',
  rules: { rounds: UNTIL_UPGRADED, lasting: A_MINUTE },
  look: ({ pbs }) => pbs.repositories(),
  judge({ errors, warnings, standard, enabledUris }, { target: { host } }) {
    const broken = errors.filter((each) => !isIgnored(each));
    if (broken.length > 0) {
      return {
        ...block(broken.map(({ path, error }) => `${path}: ${error}`).join('; ')),
        fixes: [{ where: host, commands: ['apt-get update'] }],
      };
    }
    const proxmox =
      standard.some(({ enabled }) => enabled === true) ||
      enabledUris.some((uri) => /\bpbs-|proxmox/i.test(uri));
    if (!proxmox) {
      const enable = 'proxmox-backup-debug api set /nodes/localhost/apt/repositories --handle enterprise';
      return {
        ...block('no Proxmox repository is enabled', {
          hint: 'Without a subscription the handle is "no-subscription" instead of "enterprise".',
        }),
        fixes: [{ where: host, commands: [enable] }],
      };
    }
    const ignored = errors.filter(isIgnored).map(({ path }) => `apt ignores ${path} (its extension)`);
    const remarks = [...new Set([...warnings, ...ignored])];
    return remarks.length > 0 ? warn(remarks.join('; ')) : pass('no repository has an error');
  },
});
