import { A_MINUTE, UNTIL_UPGRADED } from '../rules/rounds.js';
import { block, check, pass, warn } from './check.js';

/** What apt skips because of its name, such as `README` or `pbs.list.old`. */
const isIgnored = ({ error }: { readonly error: string }) => /invalid extension/.test(error);

interface Repository {
  readonly uri: string;
  readonly components: readonly string[];
}
type Standard = ReadonlyArray<{ readonly handle: string; readonly enabled: boolean | null }>;

const OTHER_PRODUCT = /(?:^|[/_.-])(?:pve|ceph[\w-]*|pbs-client|pmg|pdm)(?=[/_.-]|$)/i;

/** A mirror may have any address, so what it is called has to do: by its components, else by its address. */
function hasPbs({ uri, components }: Repository): boolean {
  if (components.some((each) => /^pbs(?:-|test$)/.test(each))) return true;
  if (components.some((each) => /^(?:pve|pmg|pdm)(?:-|test$)/.test(each)) || OTHER_PRODUCT.test(uri))
    return false;
  return /proxmox|(?:^|[/_.-])pbs(?=[/_.-]|$)/i.test(uri);
}

const isTest = ({ components }: Repository) => components.some((each) => /^pbs-?test$/.test(each));
const isOfProxmox = ({ uri, components }: Repository) =>
  /proxmox/i.test(uri) || OTHER_PRODUCT.test(uri) || components.some((each) => /^(?:pve|pmg|pbs)/.test(each));
const nameOf = ({ uri, components }: Repository) => [uri, ...components].join(' ');

const TEST = 'the test repository is enabled, whose packages are not for production';

/** Can packages be installed: no repository with an error, and one that has proxmox-backup-server enabled? */
export const pbsApt = check({
  id: 'pbs.apt',
  rules: { rounds: UNTIL_UPGRADED, lasting: A_MINUTE },
  look: ({ pbs }) => pbs.repositories(),
  judge({ errors, warnings, standard, enabled }, { target: { host } }) {
    const broken = errors.filter((each) => !isIgnored(each));
    if (broken.length > 0) {
      return {
        ...block(broken.map(({ path, error }) => `${path}: ${error}`).join('; ')),
        fixes: [{ where: host, commands: ['apt-get update'] }],
      };
    }
    const isOn = (handle?: string) =>
      (standard as Standard).some(
        (each) => each.enabled === true && (handle === undefined || each.handle === handle),
      );
    if (!isOn() && !enabled.some(hasPbs)) {
      const enable = 'proxmox-backup-debug api set /nodes/localhost/apt/repositories --handle enterprise';
      const others = enabled.filter(isOfProxmox);
      const there = [...new Set((others.length > 0 ? others : enabled).map(nameOf))];
      return {
        ...block(
          `no enabled repository has proxmox-backup-server${there.length > 0 ? `; enabled: ${there.join(', ')}` : ''}`,
          { hint: 'Without a subscription the handle is "no-subscription" instead of "enterprise".' },
        ),
        fixes: [{ where: host, commands: [enable] }],
      };
    }
    const ignored = errors.filter(isIgnored).map(({ path }) => `apt ignores ${path} (its extension)`);
    const test = isOn('test') || enabled.some(isTest) ? [TEST] : [];
    const remarks = [...new Set([...test, ...warnings, ...ignored])];
    return remarks.length > 0 ? warn(remarks.join('; ')) : pass('no repository has an error');
  },
});
