import type { Config, Policy } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { EXIT, type ExitCode, errorDocument, Fault, worstExitCode } from '../fault.js';
import { openHost, readReferences } from '../host/open.js';
import type { RunDocument } from '../journal/document.js';
import { pruneRuns } from '../journal/prune.js';
import { awaitSlot } from '../patch/await-slot.js';
import { inFleet } from '../patch/fleet.js';
import { patchHost } from '../patch/patch-host.js';
import { deliver } from '../report/deliver.js';
import { openEvents } from '../report/event-stream.js';
import type { Reporter } from '../report/events.js';
import { screenFor } from '../report/screen.js';
import { runText } from '../report/text.js';
import { exitCodeOf } from '../rules/outcome.js';
import type { World } from '../world.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';
import { report } from './errors.js';

interface PatchCommandOptions extends HostOptions {
  readonly check: boolean | undefined;
  readonly abandon: boolean | undefined;
  readonly keepGoing: boolean | undefined;
  readonly plan: string | undefined;
  readonly reboot: Policy['reboot'] | undefined;
  readonly wait: number | undefined;
  readonly events: string | undefined;
  readonly ignoreWindow: string | undefined;
  readonly parallel: number | undefined;
}

export const patch: Command<PatchCommandOptions> = async (context, options) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const { reboot, wait = null, ignoreWindow: ignoredWindow = null, parallel: lanes = 1 } = options;
  const targets = targetsOf(config, options).map((target) =>
    reboot ? { ...target, policy: { ...target.policy, reboot } } : target,
  );
  if (options.plan && targets.length > 1) {
    throw new Fault('usage.plan', '--plan belongs to one host.', {
      hint: 'Name one --host.',
      exitCode: EXIT.usage,
    });
  }
  if (options.events === '-' && context.options.json) {
    throw new Fault('usage.events', '--events - and --json both want stdout.', {
      hint: 'Give --events a file.',
      exitCode: EXIT.usage,
    });
  }
  await readReferences(config, targets, world);
  const events = openEvents(options.events, world);
  const screen = await screenFor(world, { ...context.options, color: style.color });
  const documents = new Map<string, RunDocument>();
  const patchOne = async (target: Target): Promise<boolean> => {
    const reporter = events.around(screen.begin());
    let document: RunDocument;
    try {
      if (wait !== null) await waitFor(config, target, { waitMs: wait, ignoredWindow }, world, reporter);
      document = await patchHost(
        config,
        stateDir,
        target,
        {
          check: options.check === true,
          abandon: options.abandon === true,
          plan: options.plan ?? null,
          ignoredWindow,
        },
        world,
        reporter,
      );
    } finally {
      reporter.end();
    }
    const delivered = options.check ? document : await deliver(document, { config, stateDir }, world);
    documents.set(target.host, delivered);
    if (!context.options.json && options.events !== '-')
      screen.above(() => world.stdout.write(runText(delivered, style)));
    const code = exitCodeOf(delivered);
    events.ended(delivered, code);
    if (code === EXIT.interrupted) return false;
    return code === EXIT.done || code === EXIT.tryLater || options.keepGoing === true;
  };
  const { left, failure, interrupted } = await inFleet(config, targets, { lanes, world, act: patchOne });
  const runs = targets.flatMap(({ host }) => documents.get(host) ?? []);
  const untidy = options.check ? null : pruneRuns(stateDir, config.keepRuns);
  if (untidy) world.stderr.write(`pbs-ctl: old runs could not be removed: ${untidy.message}\n`);
  if (left.length > 0)
    world.stderr.write(`pbs-ctl: not begun: ${left.join(', ')} (${whyLeft(interrupted, options)})\n`);
  if (failure && runs.length === 0) throw failure.error;
  if (failure && !context.options.json) await report(failure.error, false, world);
  if (context.options.json) {
    const error = failure ? { error: errorDocument(failure.error) } : {};
    context.answer(targets.length === 1 ? runs[0] : { runs, ...error }, '');
  }
  const code = worstExitCode<ExitCode>(EXIT.done, ...runs.map(exitCodeOf));
  if (failure) return worstExitCode(code, besideRuns(failure.error));
  return interrupted && left.length > 0 ? EXIT.interrupted : code;
};

/** 2 promises that nothing was changed, which nobody can promise beside runs. */
function besideRuns(error: unknown): ExitCode {
  const code = error instanceof Fault ? error.exitCode : EXIT.failed;
  return code === EXIT.usage ? EXIT.failed : code;
}

const whyLeft = (interrupted: boolean, { keepGoing }: PatchCommandOptions) =>
  interrupted ? 'interrupted' : keepGoing ? 'after that error' : '--keep-going goes on after a failure';

async function waitFor(
  config: Config,
  target: Target,
  wanted: { waitMs: number; ignoredWindow: string | null },
  world: World,
  reporter: Reporter,
): Promise<void> {
  const host = await openHost(config, target, world);
  try {
    await awaitSlot(host, wanted, world, reporter);
  } finally {
    await host.close();
  }
}
