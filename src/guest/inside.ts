import { Fault } from '../fault.js';
import { type Guest, lines, PART, readParts, runReading, sh } from './exec.js';
import { SYMPTOM_PARTS, type Symptoms, symptomsIn } from './symptoms.js';

/** The state of a guest in trouble, as far as it can be had without apt, which may hang. */
export interface Inside extends Symptoms {
  readonly kernel: string | null;
  readonly uptimeSeconds: number | null;
  /** Of systemd: `running`, `degraded`, `starting`, `maintenance` … */
  readonly state: string | null;
  /** Kernels in /boot, by their version. */
  readonly kernels: readonly string[];
  readonly rootAvailableBytes: number | null;
  /** Ids of the runs whose upgrade is still running. */
  readonly upgrading: readonly string[];
  /** Last lines of the journals of failed units and of PBS, and the last errors of this boot (unit null). */
  readonly journal: ReadonlyArray<{ readonly unit: string | null; readonly lines: readonly string[] }>;
}

const PBS_UNITS = ['proxmox-backup.service', 'proxmox-backup-proxy.service'];
const MOST_JOURNALS = 6;

// Reads only, and does not touch apt, which may hang.
const INSIDE = `export LC_ALL=C.UTF-8
${PART}
part kernel uname -r
part uptime cat /proc/uptime
part state systemctl is-system-running
part kernels ls /boot
${SYMPTOM_PARTS}
part root df -B1 --output=avail /
part units systemctl list-units --all --plain --no-legend 'pbs-ctl-*'
part errors journalctl -b -q --no-pager -o short-iso -n 12 -p err
for unit in $(systemctl list-units --failed --plain --no-legend | head -n ${MOST_JOURNALS - PBS_UNITS.length} | cut -d ' ' -f 1) ${PBS_UNITS.join(' ')}; do
  printf '\\n@unit %s\\n' "$unit"
  journalctl -b -q --no-pager -o short-iso -n 8 -u "$unit"
done
printf '\\n@@end\\n'`;

const LIMIT_MS = 30_000;

/**
 * By one exec of the guest agent.
 * @throws Fault `agent.*`; `guest.unreadable` when the output ends early
 */
export async function takeInside(guest: Guest): Promise<Inside> {
  const { stdout } = await runReading(guest, sh(INSIDE), LIMIT_MS, 2);
  return readInside(stdout);
}

/** @throws Fault `guest.unreadable` when the output ends early */
export function readInside(output: string): Inside {
  if (!/^@@end$/m.test(output))
    throw new Fault('guest.unreadable', 'The report of the guest ends early.', {
      hint: 'Look at its console.',
    });
  const [answers = '', ...journals] = output.replace(/\n@@end\n[\s\S]*$/, '\n').split(/^@unit /m);
  const parts = readParts(answers);
  const text = (name: string): string => parts.get(name)?.text.trim() ?? '';
  const told = (name: string): string | null => (parts.get(name)?.code === 0 ? text(name) || null : null);
  return {
    ...symptomsIn(parts),
    kernel: told('kernel'),
    uptimeSeconds: numberOf(told('uptime')?.split(' ')[0]),
    // Its exit code is 0 only for "running".
    state: /^[a-z-]+$/.test(text('state')) ? text('state') : null,
    kernels: lines(text('kernels')).flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? []),
    rootAvailableBytes: numberOf(told('root')?.split('\n').at(-1)),
    upgrading: lines(text('units')).flatMap(upgradeIn),
    journal: [
      ...journals.map((each) => {
        const [unit = '', ...rest] = each.split('\n');
        return { unit, lines: entries(rest) };
      }),
      { unit: null, lines: entries(text('errors').split('\n')) },
    ].filter((each) => each.lines.length > 0),
  };
}

/** The run of an upgrade unit that has not ended: `unit load active sub description`. */
function upgradeIn(line: string): string[] {
  const [unit = '', , , sub = ''] = line.trim().split(/\s+/);
  const run = /^pbs-ctl-upgrade-([a-z0-9]+)\.service$/.exec(unit)?.[1];
  return run !== undefined && ['running', 'start', 'start-pre', 'start-post'].includes(sub) ? [run] : [];
}

const entries = (all: readonly string[]): string[] =>
  all.map((line) => line.trimEnd()).filter((line) => line !== '' && !line.startsWith('-- '));

function numberOf(text: string | undefined): number | null {
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}
