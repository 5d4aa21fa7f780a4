import type { Pbs } from '../api/pbs.js';
import { block, type Check, pass, warn } from './check.js';

/** Can packages be had: no repository with an error, and at least one of Proxmox enabled? */
export const pbsApt: Check<Awaited<ReturnType<Pbs['repositories']>>> = {
  id: 'pbs.apt',
  lasting: true,
  look: ({ pbs }) => pbs.repositories(),
  judge({ errors, warnings, standard, enabledUris }, { target: { host } }) {
    if (errors.length > 0) {
      return {
        ...block(errors.map(({ path, error }) => `${path}: ${error}`).join('; ')),
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
    return warnings.length > 0 ? warn(warnings.join('; ')) : pass('repositories without errors');
  },
};
