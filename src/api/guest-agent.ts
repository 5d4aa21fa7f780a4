import { Fault } from '../fault.js';
import { ApiFault } from './failure.js';

/** What PVE and the agent (Debian 12: 7.2, Debian 13: 10.0) say, what it means, and what helps. The first match counts. */
const MEANINGS: readonly {
  readonly words: RegExp;
  readonly code: string;
  readonly means: string;
  readonly hint?: string;
}[] = [
  {
    words: /No QEMU guest agent configured/,
    code: 'agent.disabled',
    means: 'its guest agent is not enabled in the VM config',
    hint: 'Enable it (qm set VMID --agent 1), then stop and start the VM: a reboot does not do.',
  },
  {
    words: /\bVM \d+ (is )?not running/,
    code: 'agent.vm-stopped',
    means: 'the VM does not run',
    hint: 'Start the VM.',
  },
  {
    words: /QEMU guest agent is not running/,
    code: 'agent.not-running',
    means: 'its guest agent does not answer',
    hint: 'It may be busy for a moment. If it stays so: systemctl status qemu-guest-agent in the guest; after enabling the option the VM needs a stop and start.',
  },
  {
    words: /agent is in frozen state/,
    code: 'agent.frozen',
    means: 'its file systems are frozen, as during a backup or snapshot',
    hint: 'Wait until the backup or snapshot is through.',
  },
  {
    words: /has been disabled|CommandDisabled/,
    code: 'agent.blocked',
    means: 'the command is forbidden in the guest',
    hint: 'Take it out of the block list in /etc/qemu/qemu-ga.conf of the guest, then restart qemu-guest-agent.',
  },
  // Debian 13 says literally "PID ld does not exist".
  {
    words: /Invalid parameter 'pid'|PID \S+ does not exist/,
    code: 'agent.unknown-pid',
    means: 'the agent does not know the process: it was restarted, or the result was fetched before',
  },
  {
    words: /got timeout|client closed connection/,
    code: 'agent.timeout',
    means: 'its agent did not answer in time; the command may still run later',
  },
  { words: /Agent error:/, code: 'agent.failed', means: 'the agent failed' },
];

/** Gives a refusal that came from the guest agent its own code; everything else passes unchanged. */
export function agentFault(vmid: number, command: string, error: unknown): unknown {
  if (!(error instanceof ApiFault) || error.code !== 'api.refused') return error;
  const meaning = MEANINGS.find(({ words }) => words.test(error.serverWords));
  return meaning ? translated(vmid, command, error.serverWords, meaning, error) : error;
}

/** The result of a simple command. @throws Fault `agent.*` when the agent refused inside of a good answer */
export function resultOf<Result>(
  vmid: number,
  command: string,
  answer: { readonly refused: string } | { readonly value: Result },
): Result {
  if (!('refused' in answer)) return answer.value;
  const meaning = MEANINGS.find(({ words }) => words.test(answer.refused)) ?? {
    code: 'agent.failed',
    means: 'the agent failed',
  };
  throw translated(vmid, command, answer.refused, meaning);
}

function translated(
  vmid: number,
  command: string,
  words: string,
  { code, means, hint }: { readonly code: string; readonly means: string; readonly hint?: string },
  error?: ApiFault,
): Fault {
  const message = `Cannot run ${command} through the agent of guest ${vmid}: ${means} (${words.replace(/^Agent error: /, '')})`;
  const options = hint ? { hint: hint.replace('VMID', String(vmid)) } : {};
  return error
    ? new ApiFault(
        code,
        message,
        error,
        { ...(error.status === null ? {} : { status: error.status }), words },
        options,
      )
    : new Fault(code, message, options);
}
