import { Fault } from '../fault.js';
import type { PackageChanges } from '../guest/apt.js';
import { remarksIn } from '../guest/upgrade-remarks.js';
import { lostPackages } from '../rules/upgrade-plan.js';
import { type Run, warning } from './run.js';
import type { UpgradeResult } from './upgrade-method.js';

// What an upgrade that ended well must not have done, looked at before the reboot.

type Kept = Pick<UpgradeResult, 'isProtected' | 'removals'>;

/**
 * What was really removed has to be what the plan said, whatever apt did: before the reboot.
 * @throws Fault `upgrade.removed`
 */
export function requireKept(
  run: Run,
  changes: PackageChanges,
  { isProtected, removals = run.journal.state.planned?.packages.removed ?? [] }: Kept,
): void {
  const { host } = run.host.target;
  const lost = lostPackages(changes, { removed: removals }, isProtected);
  if (lost.length === 0) return;
  if (run.journal.state.upgrade === 'begun')
    run.journal.append({ type: 'upgrade-failed', exitCode: 0, packages: changes });
  throw new Fault(
    'upgrade.removed',
    `The upgrade removed packages that should have stayed: ${lost.join(', ')}. ${host} is not rebooted.`,
    {
      hint: `In the guest, install them again: apt-get install ${lost.map((each) => each.split(' ')[0]).join(' ')}. Then: pbs-ctl patch --host ${host}`,
    },
  );
}

const MOST_REMARKS = 8;

/**
 * What the scripts of packages warned of is in the report. Where the boot loader could not be updated there is no
 * reboot: it is the one thing that a reboot needs.
 * @throws Fault `upgrade.boot-loader`
 */
export function requireBootLoader(run: Run, packages: PackageChanges, lines: readonly string[]): void {
  const { boot, bootFailed, keptFiles } = remarksIn(lines);
  const remarks = boot.filter((line) => !bootFailed.includes(line)).slice(0, MOST_REMARKS);
  for (const line of remarks) warning(run, `the upgrade said: ${line}`);
  if (keptFiles.length > 0)
    warning(
      run,
      `configuration files were kept as they are, with those of the packages beside them as .dpkg-dist: ${keptFiles.join(', ')}`,
    );
  if (bootFailed.length === 0) return;
  run.journal.append({ type: 'upgrade-failed', exitCode: 0, packages, bootLoader: true });
  throw bootLoaderBehind(run.host.target.host, bootFailed);
}

/** A run that stands here is never continued by itself: only a person can see that the host boots. */
export const bootLoaderBehind = (host: string, evidence: readonly string[]) =>
  new Fault(
    'upgrade.boot-loader',
    `The packages are installed, but the boot loader could not be updated${evidence.length === 0 ? '' : `: ${evidence[0]}`}. ${host} is not rebooted.`,
    {
      hint: [
        'In the guest, repair it, and let the boot loader be written again:',
        'proxmox-boot-tool status && proxmox-boot-tool refresh',
        '(without proxmox-boot-tool: update-initramfs -u -k all && update-grub). Then give this run up, and begin a new one, which reboots:',
        `pbs-ctl patch --host ${host} --abandon`,
        `pbs-ctl patch --host ${host}`,
      ].join('\n'),
      evidence,
    },
  );
