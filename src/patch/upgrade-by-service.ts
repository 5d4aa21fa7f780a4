import type { Pbs } from '../api/pbs.js';
import { NO_CHANGES, type PackageChanges } from '../guest/apt.js';
import { refusalIn } from '../guest/upgrade-script.js';
import type { UnitState } from '../guest/upgrade-unit.js';
import { protectedOn } from '../rules/plan.js';
import type { Run } from './run.js';
import type { UpgradeMethod } from './upgrade-method.js';

/**
 * PBS itself starts a oneshot unit that the administrator has installed, as a task that lasts as long as
 * the unit runs. Its output is in the host's journal. Upstream does not document that the endpoint takes
 * units beyond its own list, so this method is never the default.
 * @see PBS API `POST /nodes/{node}/services/{service}/start`
 */
export function serviceMethod(run: Run, unit: string): UpgradeMethod {
  const { pbs, target } = run.host;
  let seenLines = 0;
  let last: UnitState | null = null;
  const unitLines = () => pbs.unitLog(unit, new Date(run.journal.state.startedAt));
  return {
    name: unit,
    plan: async () => ({ packages: await pendingChanges(pbs), isProtected: protectedOn(target.policy, []) }),
    async start() {
      const upid = await pbs.startService(unit);
      run.journal.append({ type: 'upgrade-task', upid });
    },
    async observe() {
      const upid = run.journal.state.upgradeTask ?? (await findTask(run, unit));
      if (upid === null) return { unit: { kind: 'gone' }, progress: null, log: '' };
      const [{ running, exitStatus }, lines] = await Promise.all([
        pbs.taskState(upid),
        unitLines().catch(() => []),
      ]);
      const state = stateOf(running, exitStatus);
      // Read again now that it has ended, since its last lines are its reason.
      const all = state.kind === 'failed' ? await unitLines().catch(() => lines) : lines;
      const fresh = all.slice(seenLines);
      seenLines = Math.max(seenLines, all.length);
      const line = all.at(-1);
      const refusal = state.kind === 'failed' ? refusalIn(all) : null;
      last = refusal === null || state.kind !== 'failed' ? state : { ...state, exitCode: refusal };
      return {
        unit: last,
        progress: line === undefined ? null : { percent: null, text: line },
        log: fresh.map((line) => `${line}\n`).join(''),
      };
    },
    async result() {
      const planned = run.journal.state.planned?.packages ?? NO_CHANGES;
      const left = await pendingChanges(pbs);
      const waiting = new Set([...left.upgraded, ...left.installed].map(({ name }) => name));
      // PBS lists held packages too. apt leaves only those behind where it ends well.
      const endedWell = last?.kind === 'succeeded';
      return {
        changes: {
          ...planned,
          upgraded: planned.upgraded.filter(({ name }) => !waiting.has(name)),
          installed: planned.installed.filter(({ name }) => !waiting.has(name)),
          held: endedWell ? [...waiting].sort() : [],
        },
        audit: '',
        pending: endedWell ? 0 : waiting.size,
        isProtected: protectedOn(target.policy, []),
      };
    },
    // systemd forgets a oneshot unit by itself.
    clear: async () => {},
  };

  /** A start whose answer was lost: the task tells whether it arrived. */
  async function findTask({ host, journal: { state } }: Run, service: string): Promise<string | null> {
    const begun = Date.parse(state.startedAt) / 1000 - target.policy.maxClockSkew / 1000;
    const tasks = await host.pbs.recentTasks(200);
    const own = tasks.find(
      ({ type, id, startedAt }) => type === 'srvstart' && id === service && startedAt >= begun,
    );
    if (own) run.journal.append({ type: 'upgrade-task', upid: own.upid });
    return own?.upid ?? null;
  }
}

/** PBS knows what would be installed and upgraded, not what would be removed: the unit refuses that itself. */
async function pendingChanges(pbs: Pbs): Promise<PackageChanges> {
  const updates = await pbs.updates();
  return {
    ...NO_CHANGES,
    upgraded: updates.flatMap(({ name, installed, candidate }) =>
      installed !== null && candidate !== null ? [{ name, from: installed, to: candidate }] : [],
    ),
    installed: updates.flatMap(({ name, installed, candidate }) =>
      installed === null && candidate !== null ? [{ name, to: candidate }] : [],
    ),
  };
}

function stateOf(running: boolean, exitStatus: string | null): UnitState {
  if (running) return { kind: 'running' };
  if (exitStatus === 'OK') return { kind: 'succeeded' };
  // The server no longer knows: the packages have to tell.
  if (exitStatus === null || exitStatus === 'unknown') return { kind: 'gone' };
  const code = /exit (?:status|code):? ?(\d+)/.exec(exitStatus)?.[1];
  return { kind: 'failed', exitCode: Number(code ?? 1), signal: false };
}
