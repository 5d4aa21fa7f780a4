import { NO_CHANGES } from '../guest/apt.js';
import type { Finding, Phase, PhaseTime } from './document.js';
import { objection } from './order.js';
import { isOtherBoot, type RunEvent, type RunRecord } from './records.js';
import type { RunState } from './state.js';

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
