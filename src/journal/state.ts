import type { Outcome } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import { NO_CHANGES, type PackageChanges } from '../guest/apt.js';
import type { Finding, HostState, Phase, PhaseTime, RunDocument } from './document.js';
import type { Inventory, StorageSeen } from './inventory.js';
import {
  type Acceptance,
  type Baseline,
  type Boot,
  isOtherBoot,
  type RunEvent,
  type RunRecord,
} from './records.js';

/** A run, from its journal. */
export interface RunState {
  readonly runId: string;
  readonly host: string;
  readonly mode: 'patch' | 'check';
  readonly startedAt: string;
  readonly lastAt: string;
  readonly resumed: boolean;
  readonly owesReboot: boolean;
  /** Fences of runs of this host that have ended, and are lifted after the verification of this one. */
  readonly inherited: ReadonlyArray<{ readonly run: string; readonly datastore: string }>;
  /** Runs whose expired locks it has replaced. */
  readonly tookOver: readonly string[];
  /** Fences of other runs that stood when this one had lifted its own. */
  readonly otherFences: ReadonlyArray<{ readonly run: string; readonly datastore: string }>;
  /** Postponements in a row before it; null in journals of older versions. */
  readonly postponed: RunDocument['postponements'] | null;
  readonly phase: Phase;
  /** Phases in the order of their beginnings; one that was begun again is listed again. */
  readonly timeline: readonly PhaseTime[];
  readonly findings: readonly Finding[];
  /** Findings of `verify` that a person answers for; the newest of each id. */
  readonly accepted: readonly Acceptance[];
  readonly baseline: Baseline | null;
  readonly locks: readonly string[];
  /** When each of them was taken (ISO 8601), not when it was renewed. */
  readonly lockedSince: Readonly<Record<string, string>>;
  readonly fenced: readonly string[];
  /**
   * What was in the datastores before the upgrade; null where a version before this began the run. `stands` while no
   * fence of this run was lifted since: then nothing may differ.
   */
  readonly inventory: (Inventory & { readonly stands: boolean }) | null;
  readonly storages: readonly StorageSeen[] | null;
  readonly planned: {
    readonly packages: PackageChanges;
    readonly planDigest: string;
    readonly approval: readonly string[];
  } | null;
  readonly would: readonly string[];
  readonly safeUntil: string | null;
  readonly updatesAsOf: string | null;
  readonly upgrade: 'not-begun' | 'begun' | 'done' | 'failed';
  /** How often it was tried. */
  readonly attempts: number;
  /** The last try (ISO 8601), and by the clock of the host in epoch seconds. */
  readonly upgradeAt: string | null;
  readonly upgradeSince: number | null;
  /** The boot before the first try, and when it was looked at (ISO 8601). */
  readonly bootBefore: { readonly boot: Boot; readonly seenAt: string } | null;
  /** The boot after the reboot, once it was seen. */
  readonly bootAfter: Boot | null;
  readonly upgradeTask: string | null;
  readonly changes: PackageChanges | null;
  /** The upgrade could not update the boot loader: a person has to, and gives this run up. */
  readonly bootLoaderFailed: boolean;
  readonly reboot: {
    readonly count: number;
    readonly requestedAt: string;
    readonly before: Boot;
    readonly downAt: string | null;
    readonly upAt: string | null;
  } | null;
  /** The reboot was not requested by this run and counts as its own. `owes`: why what came after it needs another. */
  readonly foreignBoot: { readonly owes: string | null } | null;
  readonly evidence: readonly string[];
  readonly after: HostState | null;
  readonly warnings: readonly string[];
  /** The postponement that was posted to Slack, and when (ISO 8601). */
  readonly told: { readonly reasons: string; readonly at: string } | null;
  readonly screen: RunDocument['screen'];
  readonly ended: {
    readonly outcome: Outcome;
    readonly retryAfter: string | null;
    readonly error: ErrorDocument | null;
    readonly open: boolean;
  } | null;
}

/**
 * A run after the next line of its journal; `state` is null before the first.
 * @throws Error for an event that is not possible here
 */
export function next(state: RunState | null, { run, at, event }: RunRecord): RunState {
  if (state === null) return begin(run, at, event);
  const why = objection(state, event);
  if (why !== null) throw new Error(`"${event.type}" cannot come here: ${why}`);
  const now = after(state, event, at);
  // What `recover` fixes later does not make the run longer.
  return { ...now, lastAt: state.ended && now.ended ? state.lastAt : at };
}

function begin(runId: string, at: string, event: RunEvent): RunState {
  if (event.type !== 'started') throw new Error(`"${event.type}" cannot come before "started"`);
  return {
    runId,
    host: event.host,
    mode: event.mode,
    startedAt: at,
    lastAt: at,
    resumed: false,
    owesReboot: event.owesReboot,
    inherited: event.inherits ?? [],
    tookOver: [],
    otherFences: [],
    postponed: event.postponed ?? null,
    phase: 'preflight',
    timeline: [],
    findings: [],
    accepted: [],
    baseline: null,
    locks: [],
    lockedSince: {},
    fenced: [],
    inventory: null,
    storages: null,
    planned: null,
    would: [],
    safeUntil: null,
    updatesAsOf: null,
    upgrade: 'not-begun',
    attempts: 0,
    upgradeAt: null,
    upgradeSince: null,
    bootBefore: null,
    bootAfter: null,
    upgradeTask: null,
    changes: null,
    bootLoaderFailed: false,
    reboot: null,
    foreignBoot: null,
    after: null,
    evidence: [],
    warnings: [],
    told: null,
    screen: null,
    ended: null,
  };
}

/** Added by the delivery of a report, by `recover`, and by a run that continues. */
const MAY_FOLLOW_THE_END: ReadonlySet<string> = new Set([
  'resumed',
  'accepted',
  'warning',
  'told',
  'unfenced',
  'unlocked',
]);

/** Why an event is not possible after what happened so far; null if it is. */
function objection({ ended, timeline, baseline, upgrade, reboot }: RunState, event: RunEvent): string | null {
  if (ended && !MAY_FOLLOW_THE_END.has(event.type)) return 'the run has ended';
  switch (event.type) {
    case 'started':
      return 'the run has begun';
    case 'resumed':
      return ended && !ended.open ? 'the run has ended and left nothing behind' : null;
    case 'phase': {
      const open = timeline.some(({ phase, endedAt }) => phase === event.phase && endedAt === null);
      return event.status === 'done' && !open ? `phase "${event.phase}" was not begun` : null;
    }
    case 'baseline':
      return baseline ? 'the run has a baseline, which nothing may replace' : null;
    case 'upgrade-intended':
      return upgrade === 'begun' || upgrade === 'done' ? 'an upgrade was begun before' : null;
    case 'upgrade-task':
    case 'upgrade-void':
    case 'upgrade-failed':
      return upgrade === 'begun' ? null : 'no upgrade was begun';
    case 'upgraded':
      return upgrade === 'done' ? 'the upgrade was done before' : null;
    case 'reboot-intended':
      if (reboot) return 'the reboot was requested before, and a run requests one';
      return upgrade === 'done' ? null : 'the upgrade is not done';
    case 'boot-found':
      return reboot ? 'the run has its reboot' : upgrade === 'done' ? null : 'the upgrade is not done';
    case 'went-down':
    case 'rebooted':
      if (!reboot) return 'no reboot was requested';
      return reboot.upAt === null ? null : 'the host was back before';
    default:
      return null;
  }
}

function after(state: RunState, event: RunEvent, at: string): RunState {
  switch (event.type) {
    case 'started':
      return state;
    case 'resumed':
      return { ...state, resumed: true, ended: null, evidence: [] };
    case 'phase':
      return event.status === 'intended'
        ? { ...state, phase: event.phase, timeline: [...state.timeline, begun(event.phase, at)] }
        : { ...state, timeline: closed(state.timeline, event.phase, event.status, at) };
    case 'checked':
      return { ...state, findings: merge(state.findings, event.findings) };
    case 'accepted': {
      const { id, reason, said } = event;
      const others = state.accepted.filter((each) => each.id !== id);
      return { ...state, accepted: [...others, { id, reason, said }] };
    }
    case 'baseline':
      return {
        ...state,
        baseline: event.baseline,
        bootBefore: { boot: event.baseline.boot, seenAt: at },
      };
    case 'locked':
      return {
        ...state,
        locks: including(state.locks, event.cluster),
        lockedSince: { [event.cluster]: at, ...state.lockedSince },
        tookOver: [...new Set([...state.tookOver, ...(event.tookOver ?? [])])],
      };
    case 'unlocked': {
      const { [event.cluster]: _, ...lockedSince } = state.lockedSince;
      return { ...state, locks: Object.keys(lockedSince), lockedSince };
    }
    case 'fence-intended':
    case 'fenced':
      return { ...state, fenced: including(state.fenced, event.datastore) };
    case 'unfenced':
      return {
        ...state,
        fenced: state.fenced.filter((each) => each !== event.datastore),
        inherited: state.inherited.filter(({ datastore }) => datastore !== event.datastore),
        inventory: state.inventory && { ...state.inventory, stands: false },
      };
    case 'inventory':
      return { ...state, inventory: { ...event.inventory, stands: true }, storages: event.storages };
    case 'inherits': {
      const { run, datastore } = event;
      return { ...state, inherited: [...state.inherited, { run, datastore }] };
    }
    case 'other-fences':
      return { ...state, otherFences: event.fences };
    case 'planned':
      return {
        ...state,
        planned: {
          packages: event.packages,
          planDigest: event.planDigest,
          approval: event.approval ?? [],
        },
      };
    case 'foreseen':
      return {
        ...state,
        would: event.would,
        safeUntil: event.safeUntil,
        updatesAsOf: event.updatesAsOf,
      };
    case 'upgrade-intended':
      return {
        ...state,
        upgrade: 'begun',
        attempts: state.attempts + 1,
        upgradeAt: at,
        upgradeSince: event.since ?? null,
        upgradeTask: null,
        // A boot since the run has begun counts as its reboot, also one between two tries.
        bootBefore:
          event.boot && !(state.bootBefore && isOtherBoot(state.bootBefore.boot, event.boot))
            ? { boot: event.boot, seenAt: at }
            : state.bootBefore,
      };
    case 'upgrade-void':
      return { ...state, upgrade: 'not-begun', upgradeTask: null };
    case 'upgrade-task':
      return { ...state, upgradeTask: event.upid };
    case 'upgraded':
      return { ...state, upgrade: 'done', changes: event.packages };
    case 'upgrade-failed':
      return {
        ...state,
        upgrade: 'failed',
        changes: event.packages ?? state.changes,
        bootLoaderFailed: event.bootLoader ?? false,
      };
    case 'reboot-intended':
      return {
        ...state,
        reboot: {
          count: (state.reboot?.count ?? 0) + 1,
          requestedAt: at,
          before: event.boot,
          downAt: null,
          upAt: null,
        },
      };
    case 'went-down':
      return { ...state, reboot: state.reboot && { ...state.reboot, downAt: event.seenAt } };
    case 'rebooted':
      return {
        ...state,
        reboot: state.reboot && { ...state.reboot, upAt: at },
        bootAfter: event.boot,
      };
    case 'boot-found':
      return {
        ...state,
        reboot: {
          count: 1,
          requestedAt: new Date(event.boot.bootTime * 1000).toISOString(),
          before: state.bootBefore?.boot ?? event.boot,
          downAt: null,
          upAt: at,
        },
        foreignBoot: { owes: event.owes },
        bootAfter: event.boot,
      };
    case 'rolled-back':
      return {
        ...state,
        changes: NO_CHANGES,
        foreignBoot: null,
        after: null,
        findings: state.findings.filter(({ id }) => !id.startsWith('verify.')),
      };
    case 'after':
      return { ...state, after: event.state };
    case 'evidence':
      return { ...state, evidence: event.lines };
    case 'warning':
      return { ...state, warnings: [...state.warnings, event.text] };
    case 'told':
      return { ...state, told: { reasons: event.reasons, at } };
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

/** The newest finding of each id, in the order of the first ones. */
function merge(old: readonly Finding[], fresh: readonly Finding[]): Finding[] {
  const byId = new Map(old.map((finding) => [finding.id, finding]));
  for (const finding of fresh) byId.set(finding.id, finding);
  return [...byId.values()];
}

/** True for a run that the next `patch` of its host continues. */
export function isUnfinished(state: RunState): boolean {
  if (state.mode === 'check') return false;
  return state.ended === null || state.ended.open;
}
