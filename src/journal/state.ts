import type { Outcome } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import type { Finding, HostState, PackageChanges, Phase, PhaseTime, RunDocument } from './document.js';
import type { Baseline, Boot, RunEvent, RunRecord } from './records.js';

/** A run as its journal tells it. */
export interface RunState {
  readonly runId: string;
  readonly host: string;
  readonly mode: 'patch' | 'check';
  readonly startedAt: string;
  readonly lastAt: string;
  readonly resumed: boolean;
  readonly owesReboot: boolean;
  readonly phase: Phase;
  /** Phases in the order in which they were begun; one that was begun again stands there again. */
  readonly timeline: readonly PhaseTime[];
  readonly findings: readonly Finding[];
  readonly baseline: Baseline | null;
  readonly locks: readonly string[];
  readonly fenced: readonly string[];
  readonly planned: { readonly packages: PackageChanges; readonly planDigest: string } | null;
  readonly would: readonly string[];
  readonly safeUntil: string | null;
  readonly upgrade: 'not-begun' | 'begun' | 'done' | 'failed';
  readonly upgradeTask: string | null;
  readonly changes: PackageChanges | null;
  readonly reboot: {
    readonly requestedAt: string;
    readonly before: Boot;
    readonly downAt: string | null;
    readonly upAt: string | null;
  } | null;
  readonly after: HostState | null;
  readonly warnings: readonly string[];
  readonly screen: RunDocument['screen'];
  readonly ended: {
    readonly outcome: Outcome;
    readonly retryAfter: string | null;
    readonly error: ErrorDocument | null;
    readonly open: boolean;
  } | null;
}

/**
 * A run after one more line of its journal; `state` is null before the first.
 * @throws Error for an event that cannot come here
 */
export function next(state: RunState | null, { run, at, event }: RunRecord): RunState {
  if (state === null) return begin(run, at, event);
  const now = after(state, event, at);
  // What is put right later, by `recover`, does not make the run last longer.
  return { ...now, lastAt: state.ended && now.ended ? state.lastAt : at };
}

function begin(runId: string, at: string, event: RunEvent): RunState {
  if (event.type !== 'started') throw new Error(`"${event.type}" before "started"`);
  return {
    runId,
    host: event.host,
    mode: event.mode,
    startedAt: at,
    lastAt: at,
    resumed: false,
    owesReboot: event.owesReboot,
    phase: 'preflight',
    timeline: [],
    findings: [],
    baseline: null,
    locks: [],
    fenced: [],
    planned: null,
    would: [],
    safeUntil: null,
    upgrade: 'not-begun',
    upgradeTask: null,
    changes: null,
    reboot: null,
    after: null,
    warnings: [],
    screen: null,
    ended: null,
  };
}

function after(state: RunState, event: RunEvent, at: string): RunState {
  switch (event.type) {
    case 'started':
      throw new Error('"started" a second time');
    case 'resumed':
      return { ...state, resumed: true, ended: null };
    case 'phase':
      return event.status === 'intended'
        ? { ...state, phase: event.phase, timeline: [...state.timeline, begun(event.phase, at)] }
        : { ...state, timeline: closed(state.timeline, event.phase, event.status, at) };
    case 'checked':
      return { ...state, findings: merge(state.findings, event.findings) };
    case 'baseline':
      return { ...state, baseline: event.baseline };
    case 'locked':
      return { ...state, locks: including(state.locks, event.cluster) };
    case 'unlocked':
      return { ...state, locks: state.locks.filter((each) => each !== event.cluster) };
    case 'fence-intended':
    case 'fenced':
      return { ...state, fenced: including(state.fenced, event.datastore) };
    case 'unfenced':
      return { ...state, fenced: state.fenced.filter((each) => each !== event.datastore) };
    case 'planned':
      return { ...state, planned: { packages: event.packages, planDigest: event.planDigest } };
    case 'foreseen':
      return { ...state, would: event.would, safeUntil: event.safeUntil };
    case 'upgrade-intended':
      return { ...state, upgrade: 'begun', upgradeTask: null };
    case 'upgrade-void':
      return { ...state, upgrade: 'not-begun', upgradeTask: null };
    case 'upgrade-task':
      return { ...state, upgradeTask: event.upid };
    case 'upgraded':
      return { ...state, upgrade: 'done', changes: event.packages };
    case 'upgrade-failed':
      return { ...state, upgrade: 'failed', changes: event.packages ?? state.changes };
    case 'reboot-intended':
      return { ...state, reboot: { requestedAt: at, before: event.boot, downAt: null, upAt: null } };
    case 'went-down':
      return { ...state, reboot: state.reboot && { ...state.reboot, downAt: event.seenAt } };
    case 'rebooted':
      return { ...state, reboot: state.reboot && { ...state.reboot, upAt: at } };
    case 'after':
      return { ...state, after: event.state };
    case 'warning':
      return { ...state, warnings: [...state.warnings, event.text] };
    case 'screen':
      return { ...state, screen: { file: event.file, why: event.why } };
    case 'ended':
      return {
        ...state,
        ended: { outcome: event.outcome, retryAfter: event.retryAfter, error: event.error, open: event.open },
      };
  }
}

const begun = (phase: Phase, at: string): PhaseTime => ({
  phase,
  begunAt: at,
  endedAt: null,
  status: 'intended',
});

function closed(
  timeline: readonly PhaseTime[],
  phase: Phase,
  status: PhaseTime['status'],
  at: string,
): readonly PhaseTime[] {
  const last = timeline.findLastIndex((each) => each.phase === phase && each.endedAt === null);
  if (last < 0) return [...timeline, { phase, begunAt: at, endedAt: at, status }];
  return timeline.map((each, index) => (index === last ? { ...each, endedAt: at, status } : each));
}

const including = (list: readonly string[], item: string) => (list.includes(item) ? list : [...list, item]);

/** The newest finding of each id, in the order in which the ids first came. */
function merge(old: readonly Finding[], fresh: readonly Finding[]): Finding[] {
  const byId = new Map(old.map((finding) => [finding.id, finding]));
  for (const finding of fresh) byId.set(finding.id, finding);
  return [...byId.values()];
}

/** True for a run that the next `patch` of its host has to go on with. */
export function isUnfinished(state: RunState): boolean {
  if (state.mode === 'check') return false;
  return state.ended === null || state.ended.open;
}

const NOTHING: PackageChanges = { upgraded: [], installed: [], removed: [], held: [] };

/** An upgrade that was begun and whose end was not seen may have changed anything, also where nothing is left behind. */
function packagesKnown({ mode, upgrade, changes, planned }: RunState): boolean {
  if (mode === 'check') return planned !== null;
  // Journals of older versions tell of a failure, not of what it had changed.
  return upgrade === 'failed' ? changes !== null : upgrade !== 'begun';
}

/** The report, derived from nothing but the journal. */
export function documentOf(state: RunState, postponements: RunDocument['postponements']): RunDocument {
  const ended = state.ended ?? { outcome: 'interrupted' as const, retryAfter: null, error: null };
  return {
    schemaVersion: 1,
    runId: state.runId,
    host: state.host,
    mode: state.mode,
    outcome: ended.outcome,
    phase: state.phase,
    startedAt: state.startedAt,
    finishedAt: state.lastAt,
    resumed: state.resumed,
    before: state.baseline?.state ?? null,
    after: state.after,
    planDigest: state.planned?.planDigest ?? null,
    would: state.would,
    safeUntil: state.safeUntil,
    packages: state.changes ?? (state.mode === 'check' ? state.planned?.packages : null) ?? NOTHING,
    packagesKnown: packagesKnown(state),
    checks: state.findings,
    reboot: state.reboot && {
      count: 1,
      requestedAt: state.reboot.requestedAt,
      downAt: state.reboot.downAt,
      upAt: state.reboot.upAt,
    },
    leftBehind: { fenced: state.fenced, locks: state.locks },
    retryAfter: ended.retryAfter,
    postponements,
    warnings: state.warnings,
    screen: state.screen,
    error: ended.error,
  };
}
