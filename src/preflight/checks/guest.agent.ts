import { errorDocument, Fault } from '../../fault.js';
import { block, type Check, pass, skip } from '../check.js';

interface Seen {
  readonly vmid: number;
  readonly major: number;
  readonly token: string;
  readonly version: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
}

/** Does the guest agent answer, and does running a command through it really work? A ping is no proof of that. */
export const guestAgent: Check<Seen | null> = {
  id: 'guest.agent',
  async look({ guestCluster, target, survey }) {
    const vmid = target.guest?.vmid;
    if (!guestCluster || vmid === undefined) return null;
    const { pve, config } = guestCluster;
    const { major } = await pve.version();
    const base = { vmid, major, token: config.token };
    try {
      const { agentConfigured, agentEnabled } = await pve.guestConfig(vmid);
      if (!agentConfigured || !agentEnabled)
        throw new Fault('agent.disabled', `The guest agent is not enabled in the config of VM ${vmid}.`);
      await survey();
      const { version } = await pve.agentInfo(vmid);
      return { ...base, version, error: null };
    } catch (error) {
      return { ...base, version: null, error: errorDocument(error) };
    }
  },
  judge(seen) {
    if (!seen) return skip('the config names no guest');
    const { error, version } = seen;
    if (!error) return pass(`guest agent ${version} runs commands`);
    return block(error.message, { error: error.code, mend: mendOf(seen, error.code) ?? error.hint });
  },
};

function mendOf({ vmid, major, token }: Seen, code: string): string | null {
  const privilege = major >= 9 ? 'VM.GuestAgent.Unrestricted' : 'VM.Monitor';
  const mends: Record<string, string> = {
    'agent.disabled': `qm set ${vmid} --agent 1, then stop and start the VM`,
    'agent.not-running': 'in the guest: apt install qemu-guest-agent && systemctl start qemu-guest-agent',
    'agent.blocked': 'in the guest: allow guest-exec (see BLOCK_RPCS or --block-rpcs of qemu-guest-agent)',
    'agent.frozen': 'wait for the backup or snapshot that froze its file systems, or thaw them',
    'agent.vm-stopped': `qm start ${vmid}`,
    'api.forbidden': `grant ${privilege} on /vms/${vmid} to ${token} and its user`,
  };
  return mends[code] ?? null;
}
