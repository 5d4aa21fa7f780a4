import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { AnswerCache } from '../host/answer-cache.js';
import { deadlineFor, openHost } from '../host/open.js';
import { claimHost } from '../journal/claim.js';
import type { RunDocument } from '../journal/document.js';
import type { StoreInventory } from '../journal/inventory.js';
import { Journal } from '../journal/journal.js';
import { owedBy, postponementsOf } from '../journal/owed.js';
import { addToEnded, documentOf, readRuns, runsOf } from '../journal/runs.js';
import { isUnfinished, type RunState } from '../journal/state.js';
import { alarm } from '../report/deliver.js';
import type { Reporter } from '../report/events.js';
import type { Accepting } from '../rules/accept.js';
import type { World } from '../world.js';
import { abandon } from './abandon.js';
import { accept } from './accept.js';
import { checkOnly } from './check-only.js';
import { closeAsEnded, hasEndedElsewhere } from './ended-elsewhere.js';
import { listenForInterruption } from './interruption.js';
import { requireLeaseOver } from './lease-over.js';
import { hasGoneBack } from './rolled-back.js';
import { note, type Run, warning } from './run.js';
import { carryOut } from './workflow.js';

interface PatchOptions {
  readonly check: boolean;
  readonly abandon: boolean;
  readonly plan: string | null;
  readonly ignoredWindow: string | null;
  /** `--accept`: findings of the unfinished run that a person answers for. */
  readonly accept: readonly Accepting[];
  /** `--wait`: until then, by the monotonic clock. */
  readonly waitsUntil?: number;
}

/** One host through the whole workflow. @returns the report; throws only before a run has begun */
export async function patchHost(
  config: Config,
  stateDir: string,
  target: Target,
  options: PatchOptions,
  world: World,
  reporter: Reporter,
): Promise<RunDocument> {
  const claim = options.check ? null : await claimHost(stateDir, target.host, world);
  const interruption = listenForInterruption(world, (text) =>
    reporter.emit({ host: target.host, event: 'note', level: 'warning', text }),
  );
  try {
    const earlier = options.check ? pastOf(stateDir, target.host) : runsOf(stateDir, target.host);
    const last = earlier.findLast(isUnfinished);
    let unfinished = options.check ? undefined : last;
    // First, since it throws for a config that is wrong: a run that never began would be left on disk.
    const deadline = options.check ? deadlineFor(target, world) : undefined;
    const host = await openHost(config, target, world, deadline);
    const maybeAtWork = claim?.unknown ?? null;
    let journal: Journal | null = null;
    try {
      if (unfinished && maybeAtWork !== null)
        await requireLeaseOver(host, unfinished, maybeAtWork, world.clock);
      const mayBeOver = unfinished && !options.abandon && !(await hasGoneBack(host, unfinished));
      if (unfinished && mayBeOver && (await hasEndedElsewhere(host, unfinished))) {
        const text = close(stateDir, unfinished.runId, world);
        reporter.emit({ host: target.host, event: 'note', level: 'warning', text });
        unfinished = undefined;
      }
      journal = openJournal(stateDir, target, options, world, earlier, unfinished?.runId);
      reporter.emit({
        host: target.host,
        event: 'begun',
        runId: journal.runId,
        mode: options.check ? 'check' : 'patch',
        resumed: unfinished !== undefined,
      });
      const { inherited } = journal.state;
      const run: Run = {
        host,
        journal,
        clock: world.clock,
        reporter,
        interruption,
        requiredPlan: options.plan,
        ignoredWindow: options.ignoredWindow,
        cache: new AnswerCache(world.clock),
        alarm: (text) => alarm(text, config, world),
        ...(options.waitsUntil === undefined ? {} : { waitsUntil: options.waitsUntil }),
        sole: maybeAtWork === null || !unfinished || unfinished.ended !== null,
        groupsSeen: groupsSeenIn(earlier),
        lease: null,
      };
      if (unfinished && !options.abandon)
        note(run, `continuing run ${journal.runId}, which was in phase "${unfinished.phase}"`);
      if (options.ignoredWindow !== null)
        warning(run, `window, blackouts and schedules are ignored: ${options.ignoredWindow}`);
      for (const text of accept(journal, unfinished?.findings ?? [], options.accept)) warning(run, text);
      if (options.abandon) await abandon(run);
      else if (options.check) await checkOnly(run, last ?? null);
      else await carryOut(run);
      settle(stateDir, inherited, journal.state, world);
      if (run.lease) claim?.forgetUnknown();
      return documentOf(journal.state, postponementsOf(options.check ? [] : earlier));
    } finally {
      journal?.close();
      await host.close();
    }
  } finally {
    interruption.end();
    claim?.release();
  }
}

/** @returns why, for a person */
function close(stateDir: string, runId: string, { clock }: World): string {
  const journal = Journal.reopen(stateDir, runId, clock);
  try {
    journal.append({ type: 'resumed' });
    closeAsEnded(journal);
    return journal.state.ended?.error?.message ?? '';
  } finally {
    journal.close();
  }
}

/** Tells the earlier runs that their fences are lifted. */
function settle(
  stateDir: string,
  inherited: RunState['inherited'],
  { inherited: left }: RunState,
  { clock }: World,
): void {
  for (const { run, datastore } of inherited)
    if (!left.some((each) => each.run === run && each.datastore === datastore))
      addToEnded(stateDir, run, [{ type: 'unfenced', datastore }], clock);
}

/** For a look only: what cannot be read of it stops `patch`, and no check. */
function pastOf(stateDir: string, host: string): RunState[] {
  try {
    return readRuns(stateDir).runs.filter((run) => run.host === host);
  } catch {
    return [];
  }
}

/** By the last run that has counted them. */
function groupsSeenIn(runs: readonly RunState[]): ReadonlyMap<string, number> {
  const { inventory } = runs.findLast((run) => run.inventory !== null) ?? {};
  const groups = ({ namespaces }: StoreInventory) => namespaces.reduce((sum, each) => sum + each.groups, 0);
  return new Map(inventory?.stores.map((store) => [store.name, groups(store)]));
}

function openJournal(
  stateDir: string,
  target: Target,
  options: PatchOptions,
  world: World,
  earlier: ReturnType<typeof runsOf>,
  unfinished: string | undefined,
): Journal {
  if (unfinished) {
    const journal = Journal.reopen(stateDir, unfinished, world.clock);
    journal.append({ type: 'resumed' });
    return journal;
  }
  const first = {
    type: 'started',
    host: target.host,
    mode: options.check ? 'check' : 'patch',
    ...owedBy(earlier),
  } as const;
  const runId = world.randomWord(6);
  return options.check || options.abandon
    ? Journal.inMemory(runId, world.clock, first)
    : Journal.begin(stateDir, runId, world.clock, first);
}
