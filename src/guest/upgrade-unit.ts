import { Fault } from '../fault.js';
import { type Guest, runOnce, runReading, sh } from './exec.js';
import { UPGRADE_ENVIRONMENT, type UpgradeOrder, upgradeScript } from './upgrade-script.js';

export const unitName = (run: string) => `pbs-ctl-upgrade-${run}.service`;
// On /run: whatever happens, the next boot leaves nothing of it.
const folder = (run: string) => `/run/pbs-ctl-${run}`;

/** systemd expands `$` in the command line of a unit; `$$` is what reaches the shell as `$`. */
export const escapeForSystemd = (script: string) => script.replaceAll('$', '$$$$');

/** Of one try to start it: whoever makes this folder first decides whether that try takes place. */
const claim = ({ run, attempt }: Attempt) => `${folder(run)}.${attempt}`;

/** A run may try again, after an upgrade that failed or never began. */
interface Attempt {
  readonly run: string;
  /** Counts from 1. */
  readonly attempt: number;
}

/**
 * Asks the agent to start the upgrade, as a transient unit, since the agent's own upgrade kills whatever the
 * agent has started. Whether it began is to be seen in the guest: {@link viewUpgrade}.
 * @throws Fault `agent.*` and those of requests: of kind `unknown` where it may still begin
 */
export async function startUpgrade(
  { pve, vmid }: Pick<Guest, 'pve' | 'vmid'>,
  order: UpgradeOrder & Attempt,
): Promise<void> {
  const dir = folder(order.run);
  const mine = claim(order);
  await pve.agent.exec(vmid, [
    '/bin/sh',
    '-c',
    `mkdir -m 0700 ${mine} || exit; echo $$ >${mine}/pid; mkdir -p -m 0700 ${dir}; systemd-run "$@" >${mine}/out 2>&1; echo $? >${mine}/code`,
    'pbs-ctl',
    `--unit=${unitName(order.run)}`,
    `--description=pbs-ctl upgrade, run ${order.run}`,
    '--remain-after-exit',
    ...Object.entries(UPGRADE_ENVIRONMENT).flatMap(([name, value]) => ['-E', `${name}=${value}`]),
    '/bin/sh',
    '-c',
    escapeForSystemd(upgradeScript(order, dir)),
  ]);
}

/**
 * Takes the place of a start that has left no trace, so that it can begin at no later time either.
 * @returns false where it was there first
 */
export async function withdrawStart(guest: Guest, attempt: Attempt): Promise<boolean> {
  const mine = claim(attempt);
  // Once ours it stays ours, also where the answer to the first time was lost.
  const script = `mkdir -m 0700 ${mine} 2>/dev/null && : >${mine}/withdrawn; test -e ${mine}/withdrawn && echo withdrawn; exit 0`;
  return (await runReading(guest, sh(script), 30_000)).stdout.includes('withdrawn');
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
  /** What has come of the start: nothing yet, it is under way, or it is over. */
  readonly start: 'none' | 'under-way' | 'over';
  /** What systemd said to it, '' for nothing. */
  readonly startWords: string;
  /** Last line of apt's status channel, '' before the first. */
  readonly status: string;
  /** The part of the log after `offset`. A package may print any bytes. */
  readonly log: Buffer;
}

const LOG_STEP = 256 * 1024;

/**
 * One look at the running upgrade: unit, start, progress, and the log from `offset` (bytes) on. Asked once:
 * whoever follows an upgrade looks again anyway.
 * @throws Fault `agent.*`; `agent.no-systemd` when systemd does not tell how the unit stands
 */
export async function viewUpgrade(guest: Guest, attempt: Attempt, offset: number): Promise<UpgradeView> {
  const dir = folder(attempt.run);
  const mine = claim(attempt);
  // The start first: what it has begun is there when the unit is looked at.
  const script = [
    `if test -e ${mine}/code; then echo over; elif test -e ${mine}/pid && kill -0 "$(cat ${mine}/pid)" 2>/dev/null; then echo under-way; elif test -e ${mine}; then echo over; else echo none; fi`,
    `tail -n 1 ${mine}/out 2>/dev/null`,
    "printf '\\n@@unit\\n'",
    `systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus ${unitName(attempt.run)}`,
    "printf '@@status\\n'",
    `tail -n 1 ${dir}/status 2>/dev/null`,
    "printf '\\n@@log\\n'",
    `tail -c +${offset + 1} ${dir}/log 2>/dev/null | head -c ${LOG_STEP} | base64 -w 0`,
    'exit 0',
  ].join('\n');
  const { stdout } = await runOnce(guest, sh(script), 30_000);
  const [begun, behind] = split(stdout, '\n@@unit\n');
  const [show = '', rest = ''] = split(behind, '@@status\n');
  const [status = '', log = ''] = split(rest, '\n@@log\n');
  const unit = readUnitState(show);
  const [start = '', ...words] = begun.split('\n');
  if (unit)
    return {
      unit,
      start: start === 'under-way' || start === 'over' ? start : 'none',
      startWords: words.join('\n').trim(),
      status: status.trim(),
      log: Buffer.from(log, 'base64'),
    };
  throw new Fault('agent.no-systemd', `systemd in guest ${guest.vmid} does not answer at the moment.`, {
    kind: 'passing',
    hint: 'It may be restarting, as in its own upgrade. If it stays so, look at the console of the VM.',
  });
}

/** Takes the ended unit and its files away; a running one, or one of which systemd tells nothing, is left alone. */
export async function clearUpgrade(guest: Guest, run: string): Promise<void> {
  const unit = unitName(run);
  const script = `case "$(systemctl show -p SubState ${unit})" in *=exited|*=failed|*=dead) ;; *) exit 0 ;; esac
systemctl stop ${unit} 2>/dev/null; systemctl reset-failed ${unit} 2>/dev/null; rm -rf ${folder(run)}
for each in ${folder(run)}.*; do test -e "$each/withdrawn" || rm -rf "$each"; done; exit 0`;
  await runReading(guest, sh(script), 30_000);
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + at.length)];
}
