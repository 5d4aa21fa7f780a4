import { EXIT, Fault } from '../fault.js';
import { act } from '../recover/act.js';
import { diagnose, type RecoverFlag } from '../recover/diagnosis.js';
import { lookAt } from '../recover/look.js';
import type { Sight } from '../recover/sight.js';
import { recoverText } from '../recover/text.js';
import { openSite } from '../site.js';
import { type Command, type Context, type HostOptions, load, targetsOf } from './context.js';

export interface RecoverOptions extends HostOptions {
  readonly startVm?: boolean;
  readonly resetVm?: boolean;
  readonly mount?: boolean;
  readonly restartServices?: boolean;
  readonly liftFence?: boolean;
  readonly releaseLock?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

/** What is wrong with a host, what to do, and, with flags, some of it done. */
export const recover: Command<RecoverOptions> = async (context, options) => {
  const { world, color } = context;
  const { config, stateDir } = await load(context);
  const [target, ...others] = targetsOf(config, options);
  if (!target || others.length > 0) {
    throw new Fault('usage.one-host', 'recover looks at one host.', {
      hint: 'Name one --host.',
      exitCode: EXIT.usage,
    });
  }
  const site = await openSite(config, target, world);
  try {
    let sight = await lookAt(site, stateDir);
    const done: string[] = [];
    for (const flag of flagsOf(options)) {
      await allow(flag, sight, options, context);
      done.push(await act(flag, site, sight));
      sight = await lookAt(site, stateDir);
    }
    const diagnosis = diagnose(sight);
    const text = recoverText(sight, diagnosis, { color, columns: world.stdout.columns });
    context.answer({ ...sight, done, diagnosis }, `${done.map((line) => `${line}\n`).join('')}${text}`);
    return diagnosis.healthy ? EXIT.done : EXIT.failed;
  } finally {
    await site.close();
  }
};

/** In the order in which they help. */
function flagsOf(options: RecoverOptions): RecoverFlag[] {
  const wanted: Array<[boolean | undefined, RecoverFlag]> = [
    [options.startVm, 'start-vm'],
    [options.resetVm, 'reset-vm'],
    [options.mount, 'mount'],
    [options.restartServices, 'restart-services'],
    [options.liftFence, 'lift-fence'],
    [options.releaseLock, 'release-lock'],
  ];
  return wanted.flatMap(([given, flag]) => (given ? [flag] : []));
}

/** @throws Fault `recover.refused` (exit 1), `usage.yes` (exit 2) */
async function allow(
  flag: RecoverFlag,
  sight: Sight,
  { yes, force }: RecoverOptions,
  { world }: Context,
): Promise<void> {
  if (flag === 'reset-vm' && !yes) {
    const question = `Resetting VM ${sight.vm?.vmid ?? ''} of ${sight.host} is like pulling the plug. Do it?`;
    if (!(await world.confirm(question))) {
      throw new Fault('usage.yes', 'The VM was not reset: nobody said yes.', {
        hint: 'Repeat the command with --yes.',
        exitCode: EXIT.usage,
      });
    }
  }
  const resumes = flag === 'lift-fence' || flag === 'release-lock';
  if (resumes && !force && !sight.verification?.ok) {
    const blocks = sight.verification?.findings
      .filter(({ status }) => status === 'block')
      .map(({ summary }) => summary);
    throw new Fault(
      'recover.refused',
      `--${flag} would let backups go on, and ${sight.host} does not pass verification: ${blocks?.join('; ') || 'it cannot be asked'}.`,
      {
        hint: 'Mend that first. To do it all the same: --force.',
      },
    );
  }
}
