import { formatDuration, formatSize } from '../config/quantity.js';
import type { ErrorDocument } from '../fault.js';
import type { DatastoreState } from '../journal/document.js';
import type { Standing } from '../journal/standing.js';
import { localMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { hintLines, labelled, type Paint, painter, type Style, textWidth, wrap } from './layout.js';

/** One host of `status --json`. What is unknown is null, with the reason in `error`. */
export interface HostStatus {
  readonly host: string;
  readonly reachable: boolean;
  readonly version: string | null;
  readonly kernel: string | null;
  readonly uptimeSeconds: number | null;
  readonly updates: number | null;
  /** As of when the package lists are; null where that is not known. */
  readonly updatesAsOf: string | null;
  readonly datastores: readonly StatusDatastore[];
  readonly tasks: ReadonlyArray<{ readonly upid: string; readonly type: string; readonly id: string | null }>;
  /**
   * Who holds the lock of a cluster that the host serves; `owner` null where the tag cannot be read. Null where
   * it is free, and where it could not be read, with the reason in `lockError`.
   */
  readonly lock: {
    readonly cluster: string;
    readonly owner: string | null;
    readonly run: string | null;
    readonly expiresAt: string | null;
    readonly expired: boolean;
  } | null;
  readonly lockError: ErrorDocument | null;
  /** By the journals here; null where there is none, or they cannot be read. */
  readonly run: Standing['run'];
  readonly owes: Standing['owes'];
  readonly lastRun: Standing['lastRun'];
  /** When a whole run fits next; null where none does, where that is not known, and for several hosts. */
  readonly nextSafe: string | null;
  /** Runs in a row that were postponed, and the checks that blocked the last of them; null where the journal cannot be read. */
  readonly postponed: {
    readonly count: number;
    readonly since: string | null;
    readonly checks: readonly string[];
  } | null;
  /** Fields that are empty because they could not be asked. */
  readonly unknown: readonly string[];
  readonly error: ErrorDocument | null;
}

/** `run`: whose fence it is; null for a mode that another user has set. */
type StatusDatastore = DatastoreState & {
  readonly maintenance: { readonly type: string; readonly run: string | null } | null;
};

type Shown = DatastoreState & Partial<Pick<StatusDatastore, 'maintenance'>>;

/** A datastore per line: its state, how full it is, and what is wrong with it. */
export function datastoreLines(datastores: readonly Shown[], width: number, paint: Paint): string[] {
  const nameWidth = Math.max(0, ...datastores.map(({ name }) => oneLine(name).length));
  return datastores.flatMap(({ name, state, total, used, maintenance = null }) => {
    const well = state === 'ok';
    const usage = total === null || used === null || total <= 0 ? '' : fill(used, total);
    const plainWords = well ? modeWords(maintenance) : 'NOT OK';
    const words = paint(well ? (maintenance ? 'careful' : 'good') : 'bad', plainWords);
    const plain = oneLine(name).padEnd(nameWidth);
    const fits = plain.length + 2 + plainWords.length + 2 + usage.length <= width;
    return [
      `${plain}  ${words}${fits ? `  ${usage}` : ''}`.trimEnd(),
      ...(fits ? [] : [`    ${usage}`]),
      ...(well ? [] : wrap(state, width - 4).map((each) => `    ${each}`)),
    ];
  });
}

/** A fenced datastore is well, and refuses backups. */
const modeWords = (maintenance: StatusDatastore['maintenance']): string =>
  maintenance === null
    ? 'ok'
    : maintenance.run === null
      ? `${oneLine(maintenance.type)}, set by another user`
      : `${oneLine(maintenance.type)}, fence of run ${oneLine(maintenance.run)}`;

const fill = (used: number, total: number) =>
  `${formatSize(used)} of ${formatSize(total)} used (${Math.round((used / total) * 100)} %)`;

export function statusText(hosts: readonly HostStatus[], style: Style): string {
  const paint = painter(style.color);
  if (hosts.length === 0) return 'The config has no hosts.\n';
  return `${hosts.map((host) => hostLines(host, style, paint).join('\n')).join('\n\n')}\n`;
}

function hostLines(status: HostStatus, style: Style, paint: Paint): string[] {
  const width = textWidth(style);
  const { error, lockError: unknownLock, unknown } = status;
  const reason = error !== null && error !== unknownLock ? wrap(error.message, width) : [];
  const problem = error
    ? [
        ...(reason.length > 0 ? labelled(paint, 'reason', reason, 'bad') : []),
        ...(error.hint ? labelled(paint, 'hint', hintLines(error.hint, width)) : []),
      ]
    : [];
  const lockLines = unknownLock
    ? labelled(paint, 'lock', wrap(`not known: ${unknownLock.message}`, width), 'bad')
    : labelled(paint, 'lock', wrap(lockWords(status.lock), width));
  const name = `${paint('strong', oneLine(status.host))}: ${headline(status, paint)}`;
  const waiting = status.postponed?.count
    ? labelled(paint, 'postponed', wrap(postponedWords(status.postponed), width), 'careful')
    : [];
  if (!knowsSomething(status)) {
    // A run that holds the lock may be the reason.
    const lock = status.lock || unknownLock ? lockLines : [];
    return [name, ...problem, ...lock, ...runLines(status, width, paint), ...waiting];
  }
  const rows: Array<[string, string[]]> = [
    ['version', [status.version ?? 'unknown']],
    ['kernel', [status.kernel ?? 'unknown']],
    ['up for', [status.uptimeSeconds === null ? 'unknown' : formatDuration(status.uptimeSeconds * 1000)]],
    ['updates', [updates(status.updates)]],
    [
      'datastores',
      unknown.includes('datastores') ? ['unknown'] : datastoreLines(status.datastores, width, paint),
    ],
    [
      'tasks',
      unknown.includes('tasks')
        ? ['unknown']
        : status.tasks.length === 0
          ? ['none running']
          : status.tasks.flatMap((task) => wrap(taskWords(task), width)),
    ],
  ];
  return [
    name,
    ...rows.flatMap(([label, lines]) => labelled(paint, label, lines.length > 0 ? lines : ['none'])),
    ...lockLines,
    ...runLines(status, width, paint),
    ...problem,
    ...waiting,
  ];
}

function runLines({ run, owes, lastRun, nextSafe }: HostStatus, width: number, paint: Paint): string[] {
  const unfinished = run
    ? `${oneLine(run.id)} ${run.open ? 'stopped' : 'is'} in phase "${run.phase}"${run.open ? '; the next patch continues it' : ''}`
    : null;
  return [
    ...(unfinished ? labelled(paint, 'run', wrap(unfinished, width), 'careful') : []),
    ...(owes.length > 0 ? labelled(paint, 'owes', [owes.join(', ')], 'careful') : []),
    ...(lastRun
      ? labelled(
          paint,
          'last run',
          wrap(`${oneLine(lastRun.id)}: ${lastRun.outcome}, ${localMoment(lastRun.finishedAt)}`, width),
        )
      : []),
    ...(nextSafe ? labelled(paint, 'next safe', [localMoment(nextSafe)]) : []),
  ];
}

/** A server that refuses answers, and so does one of which a part hangs. */
function headline({ reachable, error, lockError }: HostStatus, paint: Paint): string {
  if (!reachable) return paint('bad', 'not reachable');
  if (error === null || error === lockError) return paint('good', 'reachable');
  if (error.code === 'api.unauthorized') return paint('bad', 'answers, but refuses the token');
  if (error.code === 'pbs.daemon-down') return paint('bad', 'answers, but its root daemon does not');
  return paint('careful', 'does not answer everything');
}

const knowsSomething = ({ version, kernel, updates: count, datastores, tasks, unknown }: HostStatus) =>
  version !== null ||
  kernel !== null ||
  count !== null ||
  datastores.length > 0 ||
  tasks.length > 0 ||
  !unknown.includes('tasks');

function postponedWords({ count, since, checks }: NonNullable<HostStatus['postponed']>): string {
  const times = count === 1 ? 'once' : `${count} times in a row`;
  const from = since ? `, since ${localMoment(since)}` : '';
  return `${times}${from}${checks.length > 0 ? `, the last time by ${checks.join(', ')}` : ''}`;
}

function updates(count: number | null): string {
  if (count === null) return 'unknown';
  return count === 0 ? 'none pending' : `${count} pending`;
}

const taskWords = ({ type, id }: HostStatus['tasks'][number]) => (id ? `${type} ${id}` : type);

function lockWords(lock: HostStatus['lock']): string {
  if (!lock) return 'free';
  if (lock.owner === null) return `cluster ${lock.cluster} carries a lock tag that cannot be read`;
  if (lock.expired)
    return `cluster ${lock.cluster}: expired${lock.expiresAt ? ` ${localMoment(lock.expiresAt)}` : ''}, left by ${lock.owner} (run ${lock.run ?? 'unknown'})`;
  const until = lock.expiresAt ? ` until ${localMoment(lock.expiresAt)}` : '';
  return `cluster ${lock.cluster}: held by ${lock.owner} (run ${lock.run ?? 'unknown'})${until}`;
}
