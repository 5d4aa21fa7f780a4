import { grantCommand } from '../api/privileges.js';
import { errorDocument } from '../fault.js';
import { block, type Check, pass, skip } from './check.js';

interface Seen {
  readonly vmid: number;
  readonly major: number;
  readonly token: string;
  /** Whether the VM config has an agent option at all, and whether that says "enabled". */
  readonly configured: boolean;
  readonly enabled: boolean;
  /** Why running a command through the agent did not work; null where it did, or was not tried. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  readonly version: string | null;
  /** What the agent says of itself; null where it did not say, or was not asked because it works. */
  readonly agent: { readonly commands: ReadonlyMap<string, boolean> } | null;
}

const NEEDED = ['guest-exec', 'guest-exec-status'];

/** Does the guest agent answer, and does running a command through it really work? A ping is no proof of that. */
export const guestAgent: Check<Seen | null> = {
  id: 'guest.agent',
  lasting: true,
  async look({ guestCluster, target, survey }) {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const { pve, config } = guestCluster;
    const [{ major }, { agentConfigured, agentEnabled }] = await Promise.all([
      pve.version(),
      pve.guestConfig(vmid),
    ]);
    const base = { vmid, major, token: config.token, configured: agentConfigured, enabled: agentEnabled };
    if (!agentConfigured || !agentEnabled) return { ...base, error: null, version: null, agent: null };
    try {
      const { installedPackages } = await survey();
      return {
        ...base,
        error: null,
        version: installedPackages.get('qemu-guest-agent') ?? null,
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
    const { vmid, configured, enabled, error, version, agent } = seen;
    if (!configured || !enabled) {
      const why = configured ? 'is switched off' : 'is not enabled';
      const code = configured ? 'agent.disabled' : 'agent.not-configured';
      return block(`the guest agent ${why} in the config of VM ${vmid}`, {
        error: code,
        hint: enableAgent(vmid),
      });
    }
    if (!error) return pass(`guest agent${version ? ` ${version}` : ''} runs commands`);
    const forbidden = NEEDED.filter((command) => agent?.commands.get(command) === false);
    // While file systems are frozen the agent lists every command as forbidden.
    const named =
      forbidden.length > 0 && error.code !== 'agent.frozen' ? ` (off: ${forbidden.join(', ')})` : '';
    return block(`${error.message}${named}`, {
      error: error.code,
      hint: mendOf(seen, error.code) ?? error.hint,
    });
  },
};

function mendOf({ vmid, major, token }: Seen, code: string): string | null {
  const mends: Readonly<Record<string, string>> = {
    'agent.disabled': enableAgent(vmid),
    'agent.not-running': `in the guest: apt install qemu-guest-agent && systemctl start qemu-guest-agent; if the option was enabled only lately: stop and start VM ${vmid}`,
    'agent.blocked':
      'in the guest: take guest-exec and guest-exec-status out of the block list in /etc/qemu/qemu-ga.conf (or of the options of the service), then systemctl restart qemu-guest-agent',
    'agent.frozen': `wait for the backup or snapshot that froze its file systems; if there is none: qm guest cmd ${vmid} fsfreeze-thaw`,
    'agent.timeout': `run again in a moment; if it stays so: look at the load of the guest, then systemctl restart qemu-guest-agent in it`,
    'agent.vm-stopped': `qm start ${vmid}`,
    // VM.Monitor is gone in PVE 9, and a role that had it has lost it with the upgrade.
    'api.forbidden': grantCommand('pve', token, {
      privilege: major >= 9 ? 'VM.GuestAgent.Unrestricted' : 'VM.Monitor',
      path: `/vms/${vmid}`,
    }),
  };
  return mends[code] ?? null;
}

const enableAgent = (vmid: number) =>
  `qm set ${vmid} --agent 1, then stop and start the VM: a reboot does not do`;
