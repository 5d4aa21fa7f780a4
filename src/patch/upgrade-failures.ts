import { EXIT, Fault } from '../fault.js';
import { brokenPackages } from '../guest/apt.js';
import { evidenceIn } from '../guest/evidence.js';
import { UPGRADE_EXIT } from '../guest/upgrade-script.js';
import type { UnitState } from '../guest/upgrade-unit.js';
import { adviceOf } from '../rules/advice.js';
import { causesIn } from '../rules/causes.js';
import type { UpgradeResult } from './upgrade-method.js';

// How an upgrade that did not end well is put: what was seen, what it means by the words of apt and dpkg, what to do.

/** What the script refuses by itself, a moment after the plan was made. */
const REFUSED_BY_SCRIPT: Readonly<Record<number, string>> = {
  [UPGRADE_EXIT.simulationFailed]: 'upgrade.no-plan',
  [UPGRADE_EXIT.removesProtected]: 'upgrade.removes-protected',
  [UPGRADE_EXIT.majorRelease]: 'upgrade.major-release',
  [UPGRADE_EXIT.removesMore]: 'plan.changed',
  [UPGRADE_EXIT.planChanged]: 'plan.changed',
};

/** Nothing has changed, whatever it was that failed: undone, and tried again later. */
export function nothingChanged(host: string, unit: UnitState, lines: readonly string[]): Fault {
  if (unit.kind === 'failed' && unit.exitCode === UPGRADE_EXIT.pveNode) return isPveNode(host);
  const code = unit.kind === 'failed' && !unit.signal ? REFUSED_BY_SCRIPT[unit.exitCode] : undefined;
  const evidence = evidenceIn(lines);
  const advice = advise(host, evidence);
  const why = advice ? [advice.means, evidence[0]].join(': ') : (evidence.at(-1)?.trim() ?? '');
  return new Fault(
    code ?? 'upgrade.nothing-changed',
    `The upgrade ${howItEnded(unit)} and has changed no package${why === '' ? '' : `: ${why}`}`,
    {
      hint:
        code === undefined
          ? `${advice?.hint ?? `Fix the cause on ${host}.`}\nThen:\npbs-ctl patch --host ${host}`
          : `Look at the plan:\npbs-ctl patch --host ${host} --check`,
      exitCode: EXIT.tryLater,
      evidence,
    },
  );
}

export function upgradeFailed(host: string, unit: UnitState, audit: string, lines: readonly string[]): Fault {
  const evidence = evidenceIn(lines);
  const advice = advise(host, evidence);
  const half = halfDone(audit);
  return new Fault(
    'upgrade.failed',
    `The upgrade ${howItEnded(unit)}${advice ? `: ${advice.means}` : ''}${half === '' ? '' : `; half done: ${half}`}.`,
    { hint: howToRepair(host, advice?.hint), evidence },
  );
}

export function incomplete(
  host: string,
  unit: UnitState,
  { audit, pending }: Pick<UpgradeResult, 'audit' | 'pending'>,
  lines: readonly string[],
): Fault {
  const seen = audit !== '' ? `half done: ${halfDone(audit)}` : `${pending ?? 'unknown'} packages still wait`;
  const what =
    unit.kind === 'gone'
      ? 'The upgrade vanished (was the host restarted?)'
      : 'The upgrade finished without errors but is incomplete';
  const evidence = evidenceIn(lines);
  return new Fault('upgrade.incomplete', `${what}: ${seen}.`, {
    hint: howToRepair(host, advise(host, evidence)?.hint),
    evidence: [...evidence, ...evidenceIn(audit.split('\n'))].slice(-12),
  });
}

const advise = (host: string, evidence: readonly string[]) =>
  adviceOf(causesIn(evidence), { host, enterpriseFile: null });

/** Names, or what dpkg said where it is no list of them. */
const halfDone = (audit: string): string => brokenPackages(audit).join(', ') || (audit.split('\n')[0] ?? '');

function howItEnded(unit: UnitState): string {
  if (unit.kind === 'gone') return 'has not begun';
  if (unit.kind !== 'failed') return 'ended without an error';
  if (unit.signal) return `was killed by signal ${unit.exitCode}`;
  if (unit.exitCode === UPGRADE_EXIT.repairFailed) return 'could not repair dpkg';
  return `ended with exit code ${unit.exitCode}`;
}

function howToRepair(host: string, hint: string | undefined): string {
  const repair = `pbs-ctl recover --host ${host} --repair-packages`;
  const first = hint?.includes(repair)
    ? hint
    : `${hint === undefined ? '' : `${hint}\n`}Repair what is half done:\n${repair}`;
  return `${first}\nThen go on:\npbs-ctl patch --host ${host}`;
}

const isPveNode = (host: string) =>
  new Fault('upgrade.pve-node', `${host} is a PVE node: its reboot would take down every guest on it.`, {
    hint: 'The upgrade script refused, and nothing was changed. pbs-ctl patches machines that are a PBS only.',
    exitCode: EXIT.tryLater,
  });
