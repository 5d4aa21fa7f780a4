import type { Commands } from '../api/grants.js';
import type { PveGuest } from '../api/pve.js';
import type { Finding } from '../journal/document.js';
import { about, type Diagnosis } from './diagnosis.js';

const BLOCK_LIST =
  "sed -i -E 's/^(BLACKLIST_RPC|block-rpcs|blacklist)=.*/# &/' /etc/qemu/qemu-ga.conf /etc/default/qemu-guest-agent";

/**
 * The finding of the check `guest.agent`, with commands one after the other instead of one sentence.
 * @param guest as the cluster lists it, null when it does not
 */
export function agentDiagnosis(
  subject: string,
  vmid: number,
  guest: PveGuest | null,
  finding: Finding,
): Diagnosis {
  const topic = about(subject, 'agent');
  if (finding.status === 'skip') return topic.skip(finding.summary);
  if (finding.status === 'pass') return topic.pass(`VM ${vmid}: ${finding.summary}`);
  if (!guest) {
    return topic.block(`VM ${vmid} does not exist in the cluster, or the token may not see it`, {
      hint: 'Correct "guest.vmid" in the config.',
      mends: [{ where: 'any node', commands: ['pvesh get /cluster/resources --type vm'] }],
    });
  }
  const code = String(finding.detail.error ?? '');
  const hint = typeof finding.detail.hint === 'string' ? finding.detail.hint : null;
  const mends = mendsOf(code, vmid, guest);
  // Without commands of our own the hint says it; grants are told under "privileges".
  const rest = mends.length > 0 ? {} : { hint };
  return topic.block(finding.summary, { ...rest, mends, detail: { error: code } });
}

function mendsOf(code: string, vmid: number, { node }: PveGuest): Commands[] {
  // Only a new start of the process gives the VM its channel: a reboot within the guest does not.
  const restart = { where: node, commands: [`qm shutdown ${vmid}`, `qm start ${vmid}`] };
  const install = {
    where: `in VM ${vmid}`,
    commands: ['apt install qemu-guest-agent', 'systemctl start qemu-guest-agent'],
  };
  switch (code) {
    case 'agent.not-configured':
    case 'agent.disabled':
      return [
        { where: `in VM ${vmid}`, commands: ['apt install qemu-guest-agent'] },
        { where: node, commands: [`qm set ${vmid} --agent 1`, ...restart.commands] },
      ];
    case 'agent.not-running':
      return [install];
    case 'agent.blocked':
      return [{ where: `in VM ${vmid}`, commands: [BLOCK_LIST, 'systemctl restart qemu-guest-agent'] }];
    case 'agent.frozen':
      return [{ where: node, commands: [`qm guest cmd ${vmid} fsfreeze-thaw`] }];
    case 'agent.vm-stopped':
      return [{ where: node, commands: [`qm start ${vmid}`] }];
    default:
      return [];
  }
}
