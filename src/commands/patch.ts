import type { Config, Policy } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { EXIT, type ExitCode, errorDocument, Fault, worstExitCode } from '../fault.js';
import { readReferences } from '../host/open.js';
import type { RunDocument } from '../journal/document.js';
import { pruneRuns } from '../journal/prune.js';
import { awaitSlot } from '../patch/await-slot.js';
import { releaseEarlierLocks } from '../patch/earlier-locks.js';
import { type FleetEnd, inFleet } from '../patch/fleet.js';
import { patchHost } from '../patch/patch-host.js';
import { oneLine } from '../printable.js';
import { deliver } from '../report/deliver.js';
import { openEvents, type Reporter } from '../report/events.js';
import { screenFor } from '../report/screen.js';
import { runText } from '../report/text.js';
import type { Accepting } from '../rules/accept.js';
import { exitCodeOf } from '../rules/outcome.js';
import type { World } from '../world.js';
import {
  type Command,
  type Context,
  type HostOptions,
  type LoadedConfig,
  load,
  targetsOf,
} from './context.js';
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
  readonly accept: Accepting[] | undefined;
  readonly parallel: number | undefined;
}

export const patch: Command<PatchCommandOptions> = async (context, options) => {
  const { world, style } = context;
  const loaded = await load(context);
  const targets = targetsFor(context, loaded.config, options);
  await readReferences(loaded.config, targets, world);
  const events = openEvents(options.events, world);
  const screen = await screenFor(world, { ...context.options, color: style.color });
  const documents = new Map<string, RunDocument>();
  const act = async (target: Target): Promise<boolean> => {
    const document = await runOf(target, loaded, options, context, events.around(screen.begin()));
    const told = options.check ? document : await delivered(document, loaded, world);
    documents.set(target.host, told);
    if (!context.options.json && options.events !== '-')
      screen.above(() => world.stdout.write(runText(told, style)));
    const code = exitCodeOf(told);
    events.ended(told, code);
    if (code === EXIT.interrupted) return false;
    return code === EXIT.done || code === EXIT.tryLater || options.keepGoing === true;
  };
  const end = await inFleet(loaded.config, targets, { lanes: options.parallel ?? 1, world, act });
  const untidy =
    options.check || documents.size === 0 ? null : pruneRuns(loaded.stateDir, loaded.config.keepRuns);
  if (untidy) world.stderr.write(`pbs-ctl: old runs could not be removed: ${untidy.message}\n`);
  const runs = targets.flatMap(({ host }) => documents.get(host) ?? []);
  return conclude(context, options, runs, { ...end, isAlone: targets.length === 1 });
};

/** After a second signal a post that hangs keeps no one. */
const LAST_POST_MS = 2000;

async function delivered(document: RunDocument, loaded: LoadedConfig, world: World): Promise<RunDocument> {
  const delivery = deliver(document, loaded, world);
  if (!world.now.aborted) return delivery;
  return Promise.race([delivery, world.clock.sleep(LAST_POST_MS).then(() => document)]);
}

/** The hosts, with the policy as the options override it. @throws Fault `usage.plan`, `usage.accept`, `usage.events` (exit 2) */
function targetsFor(context: Context, config: Config, options: PatchCommandOptions): Target[] {
  const { reboot, plan, events, accept } = options;
  const targets = targetsOf(config, options);
  if (plan && targets.length > 1) {
    throw new Fault('usage.plan', '--plan is for one host.', {
      hint: 'Name one --host.',
      exitCode: EXIT.usage,
    });
  }
  if (accept && targets.length > 1) {
    throw new Fault('usage.accept', '--accept is for one host, whose findings a person has looked at.', {
      hint: 'Name one --host.',
      exitCode: EXIT.usage,
    });
  }
  if (plan !== undefined && !/^[0-9a-f]{8,64}$/i.test(plan)) {
    throw new Fault(
      'usage',
      `--plan "${plan}" is not a plan digest: at least 8 of its hex digits are needed.`,
      {
        hint: 'pbs-ctl patch --host HOST --check shows the plan and its digest.',
        exitCode: EXIT.usage,
      },
    );
  }
  if (events === '-' && context.options.json) {
    throw new Fault('usage.events', '--events - and --json both write to stdout.', {
      hint: 'Give --events a file.',
      exitCode: EXIT.usage,
    });
  }
  if (!reboot) return targets;
  return targets.map((target) => ({ ...target, policy: { ...target.policy, reboot } }));
}

async function runOf(
  target: Target,
  { config, stateDir }: LoadedConfig,
  { wait, ...options }: PatchCommandOptions,
  { world }: Context,
  reporter: Reporter,
): Promise<RunDocument> {
  const ignoredWindow = options.ignoreWindow === undefined ? null : oneLine(options.ignoreWindow);
  const orders = {
    check: options.check === true,
    abandon: options.abandon === true,
    plan: options.plan?.toLowerCase() ?? null,
    ignoredWindow,
    accept: (options.accept ?? []).map(({ id, reason }) => ({ id, reason: oneLine(reason) })),
  };
  const waiting = wait === undefined ? {} : { waitsUntil: world.clock.monotonic() + wait };
  try {
    if (!orders.check) await releaseEarlierLocks(config, stateDir, target, world, reporter);
    if (wait !== undefined)
      await awaitSlot(
        config,
        target,
        { waitMs: wait, ignoredWindow, plan: options.check ? 'any' : orders.plan },
        world,
        reporter,
      );
    return await patchHost(config, stateDir, target, { ...orders, ...waiting }, world, reporter);
  } finally {
    reporter.end();
  }
}

/** Reports what is not in the report of a run. @returns the exit code */
async function conclude(
  context: Context,
  options: PatchCommandOptions,
  runs: readonly RunDocument[],
  { left, failures, interrupted, isAlone }: FleetEnd & { readonly isAlone: boolean },
): Promise<ExitCode> {
  const { world } = context;
  if (left.length > 0)
    world.stderr.write(`pbs-ctl: not started: ${left.join(', ')} (${whyLeft(interrupted, options)})\n`);
  // Without a run, the first failure is the result of the command.
  const [first] = failures;
  const beside = runs.length === 0 ? failures.slice(1) : failures;
  if (!context.options.json) for (const error of beside) await report(error, false, world);
  if (failures.length > 0 && runs.length === 0) throw first;
  if (context.options.json) {
    const error = failures.length > 0 ? { error: errorDocument(first) } : {};
    context.answer(isAlone ? runs[0] : { runs, ...error }, '');
  }
  const code = worstExitCode<ExitCode>(EXIT.done, ...runs.map(exitCodeOf));
  if (failures.length > 0) return worstExitCode(code, ...failures.map(besideRuns));
  return interrupted && left.length > 0 ? EXIT.interrupted : code;
}

/** 2 promises that nothing was changed, which does not hold after other runs. */
function besideRuns(error: unknown): ExitCode {
  const code = error instanceof Fault ? error.exitCode : EXIT.failed;
  return code === EXIT.usage ? EXIT.failed : code;
}

const whyLeft = (interrupted: boolean, { keepGoing }: PatchCommandOptions) =>
  interrupted
    ? 'interrupted'
    : keepGoing
      ? 'after that error'
      : '--keep-going would continue after a failure';
