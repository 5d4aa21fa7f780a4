import { NoGuest } from '../api/absent.js';
import { agentFixes, agentHint } from '../api/guest-agent.js';
import { grants, neededOnPve } from '../api/privileges.js';
import { errorDocument, type Fix } from '../fault.js';
import { InContainer } from '../host/answers.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { symptomsFor } from '../rules/symptoms.js';
import { block, check, type Judgement, pass, skip, warn } from './check.js';
import { majorFor } from './pve.access.js';

interface Seen {
  readonly vmid: number;
  /** Where the VM is; null: it does not exist, or may not be seen. */
  readonly node: string | null;
  /** Its name in PVE. */
  readonly called: string | null;
  readonly cluster: string;
  readonly major: number;
  readonly token: string;
  /** Whether the VM config has an agent option at all, and whether that says "enabled". */
  readonly configured: boolean;
  readonly enabled: boolean;
  /** The running VM has it all the same: only its next start takes it away. */
  readonly inUse: boolean;
  /** Why running a command through the agent did not work; null where it did, or was not tried. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  readonly version: string | null;
  /** What shows inside and no other check reports. */
  readonly symptoms: readonly string[];
  /** What the agent reports about itself; null where it did not answer, or works and was not asked. */
  readonly agent: { readonly commands: ReadonlyMap<string, boolean> } | null;
}

const NEEDED = ['guest-exec', 'guest-exec-status'];

/** Does the guest agent answer, and can it run a command? A ping does not prove that. */
export const guestAgent = check({
  id: 'guest.agent',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  async look({ guestCluster, target, survey }): Promise<Seen | null> {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const { pve, config, name: cluster } = guestCluster;
    const [guest, major, vm] = await Promise.all([
      pve.findGuest(vmid),
      majorFor(pve, vmid),
      pve.guestConfig(vmid).catch((error: unknown) => {
        if (error instanceof NoGuest) return null;
        throw error;
      }),
    ]);
    if (guest?.type === 'lxc') throw new InContainer(vmid);
    const base = {
      vmid,
      node: vm && guest ? guest.node : null,
      called: guest?.name ?? null,
      cluster,
      major,
      token: config.token,
      configured: vm?.agentConfigured ?? false,
      enabled: vm?.agentEnabled ?? false,
      inUse: true,
      symptoms: [],
    };
    if (!base.configured || !base.enabled) {
      const current = base.node === null ? null : await pve.guestConfigInUse(vmid).catch(() => null);
      const inUse = current?.agentEnabled ?? false;
      return { ...base, inUse, error: null, version: null, agent: null };
    }
    try {
      const inside = await survey();
      return {
        ...base,
        error: null,
        version: inside.installedPackages.get('qemu-guest-agent') ?? null,
        symptoms: symptomsFor('guest.agent', inside).map(({ summary }) => summary),
        agent: null,
      };
    } catch (reason) {
      // Only now: the agent serves one caller at a time, and PVE calls one that is busy "not running".
      const agent = await pve.agent.info(vmid).catch(() => null);
      return { ...base, error: errorDocument(reason), version: agent?.version ?? null, agent };
    }
  },
  judge(seen) {
    if (!seen) return skip('the config names no guest');
    const { vmid, node, cluster, configured, enabled, inUse, error, version, symptoms, agent } = seen;
    if (node === null) {
      return {
        ...block(`VM ${vmid} does not exist in the cluster, or the token may not see it`, {
          error: 'pve.no-guest',
          hint: `Correct "guest.vmid" in the config, or grant VM.Audit on /vms/${vmid}.`,
        }),
        fixes: [{ where: `a node of ${cluster}`, commands: ['pvesh get /cluster/resources --type vm'] }],
      };
    }
    const trouble = (summary: string, code: string, hint: string | null): Judgement => ({
      ...block(summary, { error: code, hint: agentHint(code, vmid) ?? hint }),
      fixes: code === 'api.forbidden' ? [grantOf(seen)] : agentFixes(code, vmid, node),
    });
    if ((!configured || !enabled) && inUse) {
      const summary = `the guest agent of VM ${vmid} works, but a pending change disables it at the next start of the VM`;
      return trouble(summary, 'agent.to-be-disabled', null);
    }
    if (!configured || !enabled) {
      const why = configured ? 'is switched off' : 'is not enabled';
      const code = configured ? 'agent.disabled' : 'agent.not-configured';
      return trouble(`the guest agent ${why} in the config of VM ${vmid}`, code, null);
    }
    if (!error) {
      const line = `guest agent${version ? ` ${version}` : ''} runs commands`;
      return symptoms.length > 0 ? warn([line, ...symptoms].join('; ')) : pass(line);
    }
    const forbidden = NEEDED.filter((command) => agent?.commands.get(command) === false);
    // While file systems are frozen the agent lists every command as forbidden.
    const named =
      forbidden.length > 0 && error.code !== 'agent.frozen' ? ` (off: ${forbidden.join(', ')})` : '';
    return trouble(
      `${error.message}${named}`,
      error.code,
      error.code === 'api.forbidden' ? makeSure(seen) : error.hint,
    );
  },
});

/** Nothing can be asked in it yet, so only a person can tell. */
const makeSure = ({ vmid, called }: Seen) =>
  `The commands let the token run programs as root in VM ${vmid}${called ? ` (${called})` : ''}: first make sure that this is the VM of the PBS.`;

/** PVE 9 dropped VM.Monitor, and roles that had it lost it with the upgrade. */
function grantOf({ vmid, cluster, major, token }: Seen): Fix {
  const needs = neededOnPve(major, { guests: [vmid], carrier: null, registeredTags: false }).filter(
    ({ grantOn }) => grantOn === `/vms/${vmid}`,
  );
  return { where: `a node of ${cluster}`, commands: grants('pve', token, needs, major) };
}
