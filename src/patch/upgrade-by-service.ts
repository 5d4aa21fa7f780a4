import type { Pbs } from '../api/pbs.js';
import type { TaskState } from '../api/tasks.js';
import { Fault } from '../fault.js';
import { isEmptyPlan, NO_CHANGES, type PackageChanges } from '../guest/apt.js';
import { readUnitJournal, type UnitJournal } from '../guest/unit-journal.js';
import { refusalIn, SCRIPT_VERSION, scriptVersionIn } from '../guest/upgrade-script.js';
import type { UnitState } from '../guest/upgrade-unit.js';
import { poll } from '../poll.js';
import { protectedOn } from '../rules/upgrade-plan.js';
import { type Run, warning } from './run.js';
import { resultInGuest } from './upgrade-by-agent.js';
import type { UpgradeMethod, UpgradeResult } from './upgrade-method.js';

/** After a task that has ended the journal may take a moment to show what systemd wrote of the unit. */
const LOOKS_AT_NOTHING = 4;

/**
 * PBS itself starts a oneshot unit that the administrator has installed. What became of it is in the unit's own
 * journal: the task of PBS fails also where `systemctl start` only lost its connection, as when systemd itself
 * is upgraded. Upstream does not document that the endpoint takes units beyond its own list, so this method is
 * never the default.
 * @see PBS API `POST /nodes/{node}/services/{service}/start`, `GET /nodes/{node}/syslog`
 */
export function serviceMethod(run: Run, unit: string): UpgradeMethod {
  const { pbs, guest, target } = run.host;
  const { journal, clock } = run;
  let seenLines = 0;
  let idleLooks = 0;
  let taskWords = '';

  const linesOfUnit = async (): Promise<string[]> => {
    const { upgradeSince, startedAt } = journal.state;
    // Journals of versions before this do not say since when: the day before the run is early enough in any time zone.
    const since = upgradeSince ?? Date.parse(startedAt) / 1000 - 86_400;
    return pbs.unitLog(unit, since, (await pbs.time()).utcOffset ?? 0);
  };

  return {
    name: unit,
    plan: async () => ({ packages: await pendingChanges(pbs), isProtected: protectedOn(target.policy, []) }),
    /** Lines are requested by the second: what an earlier start wrote must lie in one before. */
    async prepare() {
      const found = await poll(clock, { everyMs: 500, limitMs: 30_000 }, async () => {
        const { epochSeconds, utcOffset } = await pbs.time();
        return (await pbs.unitLog(unit, epochSeconds, utcOffset ?? 0)).length === 0 ? epochSeconds : null;
      });
      if (found !== null) return found;
      throw new Fault('upgrade.unit-busy', `${unit} on ${target.host} keeps writing into the journal.`, {
        kind: 'later',
        hint: `Does it run already? On ${target.host}:\njournalctl -u ${unit}`,
      });
    },
    async start() {
      journal.append({ type: 'upgrade-task', upid: await pbs.startService(unit) });
    },
    async observe() {
      const upid = journal.state.upgradeTask ?? (await findTask());
      const task = upid === null ? null : await pbs.taskState(upid);
      const lines = await linesOfUnit();
      const fresh = lines.slice(seenLines);
      seenLines = Math.max(seenLines, lines.length);
      if (task && !task.running && task.exitStatus !== 'OK') taskWords = task.exitStatus ?? '';
      const state = withOwnCode(await stateOf(readUnitJournal(lines, unit), task), lines);
      idleLooks = state.kind === 'gone' ? idleLooks + 1 : 0;
      const line = lines.at(-1);
      return {
        unit: state,
        isSettled: idleLooks >= LOOKS_AT_NOTHING && (upid !== null || !mayBeLate()),
        progress: line === undefined ? null : { percent: null, text: line },
        log: [...fresh, ...(state.kind === 'gone' && taskWords !== '' ? [taskWords] : [])]
          .map((text) => `${text}\n`)
          .join(''),
      };
    },
    async result() {
      const lines = await linesOfUnit();
      const said = readUnitJournal(lines, unit);
      warnOfOldScript(lines);
      return guest
        ? resultInGuest(run, guest, said.removals).catch(() => resultByJournal(said))
        : resultByJournal(said);
    },
    // systemd forgets a oneshot unit by itself.
    clear: async () => {},
  };

  async function stateOf({ hasBegun, ended }: UnitJournal, task: TaskState | null): Promise<UnitState> {
    if (ended) return ended;
    if (!hasBegun) return task?.running ? { kind: 'running' } : { kind: 'gone' };
    // A host that has booted since runs it no longer, whatever the journal last said.
    const { upgradeSince } = journal.state;
    const [{ uptimeSeconds }, { epochSeconds }] = await Promise.all([pbs.nodeStatus(), pbs.time()]);
    const hasBooted = upgradeSince !== null && uptimeSeconds < epochSeconds - upgradeSince;
    return { kind: hasBooted && task?.running !== true ? 'gone' : 'running' };
  }

  /** A request whose answer was lost may still be on its way to the daemon. */
  function mayBeLate(): boolean {
    const { upgradeAt } = journal.state;
    return upgradeAt !== null && clock.now() - Date.parse(upgradeAt) < target.policy.requestTimeout * 2;
  }

  /** A start whose answer was lost: the task tells whether it arrived. */
  async function findTask(): Promise<string | null> {
    const { upgradeSince, startedAt } = journal.state;
    const since = upgradeSince ?? Date.parse(startedAt) / 1000 - target.policy.maxClockSkew / 1000;
    const own = (await pbs.recentTasks(200)).find(
      ({ type, id, startedAt: at }) => type === 'srvstart' && id === unit && at >= since,
    );
    if (own) journal.append({ type: 'upgrade-task', upid: own.upid });
    return own?.upid ?? null;
  }

  async function resultByJournal({
    changes,
    ended,
    toDo,
    dpkgError,
    removals,
  }: UnitJournal): Promise<UpgradeResult> {
    const left = await pendingChanges(pbs);
    const waiting = [...left.upgraded, ...left.installed].map(({ name }) => name);
    const endedWell = ended?.kind === 'succeeded';
    // PBS lists held packages too. apt leaves only those behind where it ends well.
    const held = endedWell ? [...new Set([...changes.held, ...waiting])].sort() : [];
    const all = withDone(changes, journal.state.planned?.packages ?? NO_CHANGES, new Set(waiting));
    const something = isEmptyPlan(all) ? waiting.length > 0 : true;
    return {
      changes: { ...all, held },
      audit: dpkgError,
      pending: endedWell ? 0 : waiting.length,
      hadSomethingToDo: toDo === null ? something : toDo > 0,
      isProtected: protectedOn(target.policy, []),
      removals,
    };
  }

  /** An older one may do what this version refuses. */
  function warnOfOldScript(lines: readonly string[]): void {
    const version = scriptVersionIn(lines);
    if (version === null || version >= SCRIPT_VERSION) return;
    warning(
      run,
      `the upgrade script on ${target.host} is of version ${version}, and ${SCRIPT_VERSION} is current: print it again (pbs-ctl init --unit)`,
    );
  }
}

const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);

/** What was planned and no longer waits has been done, be it by a person. */
function withDone(
  changes: PackageChanges,
  planned: PackageChanges,
  waiting: ReadonlySet<string>,
): PackageChanges {
  const known = new Set([...changes.upgraded, ...changes.installed].map(({ name }) => name));
  const isDone = ({ name }: { name: string }) => !waiting.has(name) && !known.has(name);
  return {
    ...changes,
    upgraded: [...changes.upgraded, ...planned.upgraded.filter(isDone)].sort(byName),
    installed: [...changes.installed, ...planned.installed.filter(isDone)].sort(byName),
  };
}

/** systemd knows the exit code of the script, and of a unit that another wrote around it perhaps only 1. */
function withOwnCode(state: UnitState, lines: readonly string[]): UnitState {
  const own = state.kind === 'failed' ? refusalIn(lines) : null;
  return state.kind === 'failed' && own !== null ? { ...state, exitCode: own } : state;
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
