import { Fault } from '../fault.js';
import { type Guest, type GuestResult, runOnce, runReading, sh } from './exec.js';
import { UPGRADE_ENVIRONMENT, type UpgradeOrder, upgradeScript } from './upgrade-script.js';

export const unitName = (run: string) => `pbs-ctl-upgrade-${run}.service`;
// On /run: whatever happens, the next boot leaves nothing of it.
const folder = (run: string) => `/run/pbs-ctl-${run}`;

/** systemd expands `$` in the command line of a unit; `$$` is what reaches the shell as `$`. */
export const escapeForSystemd = (script: string) => script.replaceAll('$', '$$$$');

/**
 * Starts the upgrade as a transient unit of its own, since the agent's own upgrade kills whatever the
 * agent started. The fixed name makes a second start fail while the unit is loaded.
 * @throws Fault `agent.*`; `upgrade.not-started` when systemd refused
 */
export async function startUpgrade(
  guest: Guest,
  order: UpgradeOrder & { readonly run: string },
): Promise<void> {
  const dir = folder(order.run);
  const command = [
    '/bin/sh',
    '-c',
    `mkdir -p -m 0700 ${dir} && exec systemd-run "$@"`,
    'pbs-ctl',
    `--unit=${unitName(order.run)}`,
    `--description=pbs-ctl upgrade, run ${order.run}`,
    '--remain-after-exit',
    ...Object.entries(UPGRADE_ENVIRONMENT).flatMap(([name, value]) => ['-E', `${name}=${value}`]),
    '/bin/sh',
    '-c',
    escapeForSystemd(upgradeScript(order, dir)),
  ];
  const result = await runOnce(guest, command, 30_000);
  if (result.exitCode === 0) return;
  if (/already loaded|already exists/.test(result.stderr)) return;
  throw new Fault(
    'upgrade.not-started',
    `The upgrade could not be started in the guest: ${lastWords(result)}`,
    {
      hint: 'Nothing was upgraded. Mend the cause in the guest, then run again.',
    },
  );
}

/** How the unit stands. `gone`: it does not exist, which systemd reports like a success. */
export type UnitState =
  | { readonly kind: 'running' }
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly signal: boolean }
  | { readonly kind: 'gone' };

/**
 * Reads `KEY=VALUE` lines of `systemctl show`, in whatever order they come. Null without any: systemd does
 * not answer while it is upgraded itself, and that is not "no such unit".
 */
export function readUnitState(text: string): UnitState | null {
  const value = new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
  if (!value.has('LoadState')) return null;
  if (value.get('LoadState') !== 'loaded') return { kind: 'gone' };
  const [code, status] = [value.get('ExecMainCode'), Number(value.get('ExecMainStatus'))];
  const [active, sub] = [value.get('ActiveState'), value.get('SubState')];
  if (code === '1' && status === 0 && sub === 'exited') return { kind: 'succeeded' };
  // SIGTERM, like HUP, INT and PIPE, counts as a clean end for systemd: then it is "exited", not "failed".
  const ended = active === 'failed' || sub === 'exited' || sub === 'dead';
  return ended ? { kind: 'failed', exitCode: status, signal: code !== '1' } : { kind: 'running' };
}

interface UpgradeView {
  readonly unit: UnitState;
  /** Last line of apt's status channel, '' before the first. */
  readonly status: string;
  /** The part of the log after `offset`, whole lines where possible. */
  readonly log: string;
}

const LOG_STEP = 256 * 1024;

/**
 * One look at the running upgrade: unit, progress, and the log from `offset` (bytes) on.
 * @throws Fault `agent.*`; `agent.no-systemd` when systemd does not tell how the unit stands
 */
export async function viewUpgrade(guest: Guest, run: string, offset: number): Promise<UpgradeView> {
  const dir = folder(run);
  const script = [
    `systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus ${unitName(run)}`,
    "printf '@@status\\n'",
    `tail -n 1 ${dir}/status 2>/dev/null`,
    "printf '\\n@@log\\n'",
    `tail -c +${offset + 1} ${dir}/log 2>/dev/null | head -c ${LOG_STEP}`,
    'exit 0',
  ].join('\n');
  const { stdout } = await runReading(guest, sh(script), 30_000);
  const [show = '', rest = ''] = split(stdout, '@@status\n');
  const [status = '', log = ''] = split(rest, '\n@@log\n');
  const unit = readUnitState(show);
  if (unit) return { unit, status: status.trim(), log };
  throw new Fault('agent.no-systemd', `systemd in guest ${guest.vmid} does not answer at the moment.`, {
    hint: 'It may be restarting, as in its own upgrade. If it stays so, look at the console of the VM.',
  });
}

/** Takes the ended unit and its files away; a running one, or one of which systemd tells nothing, is left alone. */
export async function clearUpgrade(guest: Guest, run: string): Promise<void> {
  const unit = unitName(run);
  const script = `case "$(systemctl show -p SubState ${unit})" in *=exited|*=failed|*=dead) ;; *) exit 0 ;; esac
systemctl stop ${unit} 2>/dev/null; systemctl reset-failed ${unit} 2>/dev/null; rm -rf ${folder(run)}; exit 0`;
  await runReading(guest, sh(script), 30_000);
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + at.length)];
}

const lastWords = ({ stderr, stdout, exitCode, signal }: GuestResult) =>
  (stderr || stdout).trim().split('\n').at(-1) || `exit ${exitCode ?? `by signal ${signal}`}`;
