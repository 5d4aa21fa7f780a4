import { Fault, type FaultKind, type Fix } from '../fault.js';
import { ApiFault } from './failure.js';

interface Trouble {
  readonly code: string;
  /** Without it `refused`. */
  readonly kind?: FaultKind;
  /** The agent itself has said nothing: nothing is known of what it would say. */
  readonly silent?: true;
  /** From Debian 13 on the agent says "forbidden" also while it is frozen. */
  readonly orFrozen?: true;
  /** What PVE and the agent (Debian 12: 7.2, Debian 13: 10.0) say of it; absent where only the VM config shows it. */
  readonly words?: RegExp;
  readonly means: string;
  /** What the commands do not say. */
  readonly hint?: string;
  /** @param node that the VM is on */
  readonly fixes?: (vmid: number, node: string) => readonly Fix[];
}

const inGuest = (vmid: number, ...commands: string[]): Fix => ({ where: `in VM ${vmid}`, commands });
const INSTALL = 'apt install qemu-guest-agent';

/** Only a new start of the process gives the VM its channel to the agent. */
const RESTART = 'Enabling it takes a stop and start of the VM: a reboot is not enough.';
const enable = (vmid: number, node: string): Fix[] => [
  inGuest(vmid, INSTALL),
  { where: node, commands: [`qm set ${vmid} --agent 1`, `qm shutdown ${vmid}`, `qm start ${vmid}`] },
];

/** Debian 13 has no file in /etc/default, Debian 12 may have none in /etc/qemu. */
const BLOCK_LIST =
  'for file in /etc/qemu/qemu-ga.conf /etc/default/qemu-guest-agent; do if [ -e "$file" ]; then sed -i -E \'s/^(BLACKLIST_RPC|block-rpcs|blacklist)=.*/# &/\' "$file"; fi; done';

/** What can be wrong with a guest agent, and how to fix it. The first whose words match counts. */
const TROUBLES: readonly Trouble[] = [
  {
    code: 'agent.not-configured',
    means: 'its guest agent is not enabled in the VM config',
    hint: RESTART,
    fixes: enable,
  },
  {
    code: 'agent.disabled',
    words: /No QEMU guest agent configured/,
    means: 'its guest agent is not enabled in the VM config',
    hint: `Enable it (qm set VMID --agent 1). ${RESTART}`,
    fixes: enable,
  },
  {
    code: 'agent.to-be-disabled',
    means: 'its guest agent will be off from the next start of the VM',
    hint: 'The agent still works. Undo the change; the VM need not be restarted.',
    fixes: (vmid, node) => [{ where: node, commands: [`qm set ${vmid} --agent 1`] }],
  },
  {
    code: 'agent.vm-stopped',
    kind: 'later',
    silent: true,
    words: /\bVM \d+ (is )?not running/,
    means: 'the VM does not run',
    hint: 'Start the VM.',
    fixes: (vmid, node) => [{ where: node, commands: [`qm start ${vmid}`] }],
  },
  {
    code: 'agent.not-running',
    kind: 'passing',
    silent: true,
    words: /QEMU guest agent is not running/,
    means: 'its guest agent does not answer',
    hint: 'It may be busy for a moment. If it stays so: systemctl status qemu-guest-agent in the guest; after enabling the option the VM needs a stop and start.',
    fixes: (vmid) => [inGuest(vmid, INSTALL, 'systemctl start qemu-guest-agent')],
  },
  {
    code: 'agent.frozen',
    kind: 'passing',
    words: /agent is in frozen state/,
    means: 'its file systems are frozen, as during a backup or snapshot',
    hint: 'Wait until the backup or snapshot is through; if there is none, thaw them.',
    fixes: (vmid, node) => [{ where: node, commands: [`qm guest cmd ${vmid} fsfreeze-thaw`] }],
  },
  {
    code: 'agent.blocked',
    orFrozen: true,
    words: /has been disabled|CommandDisabled/,
    means: 'the command is forbidden in the guest',
    hint: 'Take guest-exec and guest-exec-status out of the block list in /etc/qemu/qemu-ga.conf of the guest (or of the options of the service), then restart qemu-guest-agent.',
    fixes: (vmid) => [inGuest(vmid, BLOCK_LIST, 'systemctl restart qemu-guest-agent')],
  },
  {
    code: 'agent.unknown-pid',
    kind: 'unknown',
    silent: true,
    // Debian 13 says literally "PID ld does not exist".
    words: /Invalid parameter 'pid'|PID \S+ does not exist/,
    means: 'the agent does not know the process: it was restarted, or the result was fetched before',
  },
  {
    code: 'agent.timeout',
    kind: 'unknown',
    silent: true,
    words: /got timeout|client closed connection/,
    means: 'its agent did not answer in time; the command may still run later',
    hint: 'Run again in a moment; if it stays so, look at the load of the guest, then restart the agent.',
    fixes: (vmid) => [inGuest(vmid, 'uptime', 'systemctl restart qemu-guest-agent')],
  },
  { code: 'agent.failed', words: /Agent error:/, means: 'the agent failed' },
];

/** The commands that help where the agent has this trouble. */
export const agentFixes = (code: string, vmid: number, node: string): readonly Fix[] =>
  TROUBLES.find((trouble) => trouble.code === code)?.fixes?.(vmid, node) ?? [];

/** What these commands do not say; null where there is nothing. */
export const agentHint = (code: string, vmid: number): string | null =>
  TROUBLES.find((trouble) => trouble.code === code)?.hint?.replace('VMID', String(vmid)) ?? null;

/** A refusal that came from the guest agent, or from PVE on its behalf. */
export class AgentFault extends Fault {
  /** The agent itself has said nothing. */
  readonly isSilent: boolean;
  readonly mayBeFrozen: boolean;

  constructor(vmid: number, command: string, words: string, trouble: Trouble = FAILED) {
    const { code, kind = 'refused', means, hint, silent, orFrozen } = trouble;
    const said = words.replace(/^Agent error: /, '');
    super(code, `Cannot run ${command} through the agent of guest ${vmid}: ${means} (${said})`, {
      kind,
      ...(hint ? { hint: hint.replace('VMID', String(vmid)) } : {}),
    });
    this.isSilent = silent === true;
    this.mayBeFrozen = orFrozen === true;
  }
}

const FAILED: Trouble = { code: 'agent.failed', means: 'the agent failed' };

const troubleIn = (words: string): Trouble | undefined =>
  TROUBLES.find(({ words: known }) => known?.test(words));

/** Gives a refusal that came from the guest agent its own code; everything else passes unchanged. */
export function agentFault(vmid: number, command: string, error: unknown): unknown {
  if (!(error instanceof ApiFault) || error.denied !== null) return error;
  const trouble = troubleIn(error.serverWords);
  return trouble ? new AgentFault(vmid, command, error.serverWords, trouble) : error;
}

/** The result of a simple command. @throws Fault `agent.*` when the agent refused inside of a good answer */
export function resultOf<Result>(
  vmid: number,
  command: string,
  answer: { readonly refused: string } | { readonly value: Result },
): Result {
  if (!('refused' in answer)) return answer.value;
  throw new AgentFault(vmid, command, answer.refused, troubleIn(answer.refused));
}
