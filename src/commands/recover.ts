import { join } from 'node:path';
import { formatDuration } from '../config/quantity.js';
import { type ErrorDocument, EXIT, errorDocument, Fault } from '../fault.js';
import { keepConsole } from '../guest/console.js';
import { deadlineFor, type Host, openHost, readReferences } from '../host/open.js';
import { claimHost } from '../journal/claim.js';
import { Journal } from '../journal/journal.js';
import { accept } from '../patch/accept.js';
import { oneLine } from '../printable.js';
import { act } from '../recover/act.js';
import { objection, question, shortfall, unanswered } from '../recover/allow.js';
import { diagnose } from '../recover/diagnose.js';
import { observe } from '../recover/look.js';
import type { ObservedHost } from '../recover/observed.js';
import { recoverText } from '../recover/text.js';
import type { Accepting } from '../rules/accept.js';
import { mayActBeside } from '../rules/beside-run.js';
import { RECOVER_FLAGS, type RecoverFlag } from '../rules/steps.js';
import type { Clock } from '../world.js';
import { type Command, type Context, type HostOptions, load, targetsOf } from './context.js';

interface RecoverOptions extends Pick<HostOptions, 'host'> {
  readonly startVm: boolean | undefined;
  readonly resetVm: boolean | undefined;
  readonly mount: boolean | undefined;
  readonly restartServices: boolean | undefined;
  readonly repairPackages: boolean | undefined;
  readonly liftFence: boolean | undefined;
  readonly releaseLock: boolean | undefined;
  readonly accept: Accepting[] | undefined;
  readonly yes: boolean | undefined;
  readonly force: boolean | undefined;
}

/** What the flags did, and what stopped the rest. */
interface Acted {
  readonly observed: ObservedHost;
  readonly done: readonly string[];
  readonly error:
    | (ErrorDocument & { readonly exitCode: number; readonly evidence: readonly string[] })
    | null;
}

export const recover: Command<RecoverOptions> = async (context, options) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const [target, ...others] = targetsOf(config, { host: options.host });
  if (!target || others.length > 0) {
    throw new Fault('usage.one-host', 'recover takes one host.', {
      hint: 'Name one --host.',
      exitCode: EXIT.usage,
    });
  }
  const flags = flagsOf(options);
  await readReferences(config, [target], world);
  const accepting = options.accept ?? [];
  const acts = flags.length + accepting.length > 0;
  const deadline = acts ? undefined : deadlineFor(target, world);
  const host = await openHost(config, target, world, deadline);
  let claim: Awaited<ReturnType<typeof claimHost>> | null = null;
  try {
    const seen = await observe(host, stateDir, world);
    // Looking is allowed while a run is at work, and so is what it takes up.
    const beside = seen.busy !== null && accepting.length === 0 && mayActBeside(flags, seen.busy.phase);
    if (acts && seen.busy && !beside) throw runAtWork(seen);
    if (acts && !beside) claim = await claimHost(stateDir, target.host, world);
    const warnings = acceptAll(accepting, seen, stateDir, world.clock);
    if (!context.options.json) for (const text of warnings) world.stderr.write(`pbs-ctl: ${oneLine(text)}\n`);
    const first = accepting.length > 0 ? await observe(host, stateDir, world) : seen;
    const { observed, done, error } = await actAll(flags, first, { host, stateDir, options, context });
    const diagnosis = diagnose(observed);
    const failure = error && { code: error.code, message: error.message, hint: error.hint };
    const shot =
      host.guest && !diagnosis.healthy
        ? await keepConsole(host.guest, consoleFolder(stateDir, observed))
        : null;
    context.answer(
      {
        ...observed,
        console: shot,
        done,
        warnings,
        diagnosis,
        evidence: error?.evidence ?? [],
        error: failure,
      },
      recoverText(
        { observed, shot, done, diagnosis, error: failure, evidence: error?.evidence ?? [] },
        style,
      ),
    );
    return error?.exitCode ?? (diagnosis.healthy ? EXIT.done : EXIT.failed);
  } finally {
    claim?.release();
    await host.close();
  }
};

/** What was wanted has to wait for the run. */
function runAtWork({ host, busy }: ObservedHost): Fault {
  const what = busy?.run ? `, run ${busy.run} in phase "${busy.phase}"` : '';
  const atMost = busy?.longestMs ? `, ${formatDuration(busy.longestMs)} at most` : '';
  return new Fault(
    'state.busy',
    `Another pbs-ctl (process ${busy?.pid}) works on host "${host}" right now${what}.`,
    { hint: `Wait until it has ended${atMost}.`, exitCode: EXIT.tryLater },
  );
}

/** `--accept`, in the journal of the unfinished run. @returns why something is not accepted */
function acceptAll(
  wanted: readonly Accepting[],
  { host, unfinishedRun, verification }: ObservedHost,
  stateDir: string,
  clock: Clock,
): string[] {
  if (wanted.length === 0) return [];
  if (unfinishedRun === null)
    return wanted.map(({ id }) => `${id} is not accepted: ${host} has no unfinished run`);
  const journal = Journal.reopen(stateDir, unfinishedRun, clock);
  try {
    const reported = journal.state.findings.filter(
      ({ status, acceptable }) => status === 'block' || acceptable,
    );
    const lines = wanted.map(({ id, reason }) => ({ id, reason: oneLine(reason) }));
    return accept(journal, [...reported, ...(verification?.findings ?? [])], lines);
  } finally {
    journal.close();
  }
}

/** In the folder of its run, or of the host where there is none. */
const consoleFolder = (stateDir: string, { host, runs, unfinishedRun }: ObservedHost): string => {
  const run = unfinishedRun ?? runs.at(-1)?.run;
  return run === undefined ? join(stateDir, 'consoles', host) : join(stateDir, 'runs', run);
};

const flagsOf = (options: RecoverOptions): RecoverFlag[] => {
  const given: Readonly<Record<RecoverFlag, boolean | undefined>> = {
    'start-vm': options.startVm,
    'reset-vm': options.resetVm,
    mount: options.mount,
    'repair-packages': options.repairPackages,
    'restart-services': options.restartServices,
    'lift-fence': options.liftFence,
    'release-lock': options.releaseLock,
  };
  return RECOVER_FLAGS.filter((flag) => given[flag]);
};

/** One after the other, each with a look before and after; one that fails or is refused stops the rest. */
async function actAll(
  flags: readonly RecoverFlag[],
  first: ObservedHost,
  {
    host,
    stateDir,
    options: { yes, force },
    context: { world, options: global },
  }: { host: Host; stateDir: string; options: RecoverOptions; context: Context },
): Promise<Acted> {
  const say = (text: string) => (global.quiet || global.json ? undefined : world.stderr.write(`${text}\n`));
  let observed = first;
  const done: string[] = [];
  for (const flag of flags) {
    try {
      const why = force ? null : objection(flag, observed);
      if (why) throw why;
      const asked = yes ? null : question(flag, observed);
      if (asked && !(await world.confirm(asked))) throw unanswered();
      const randomWord = (length: number) => world.randomWord(length);
      const text = await act(flag, { host, observed, stateDir, clock: world.clock, randomWord, say });
      // A mount of a nofail entry ends with 0 although nothing is mounted: what counts is what is seen.
      observed = await observe(host, stateDir, world);
      const left = shortfall(flag, observed);
      if (!left) done.push(text);
      if (left)
        throw new Fault('recover.not-enough', `--${flag} was carried out, but ${left}.`, {
          hint: 'See below what is wrong now.',
        });
    } catch (error) {
      const exitCode = error instanceof Fault ? error.exitCode : EXIT.failed;
      // Half of it may have been done.
      return {
        observed: await observe(host, stateDir, world),
        done,
        error: {
          ...errorDocument(error),
          exitCode,
          evidence: error instanceof Fault ? error.evidence : [],
        },
      };
    }
  }
  return { observed, done, error: null };
}
