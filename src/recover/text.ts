import { byState } from '../checks/host-state.js';
import { formatDuration } from '../config/quantity.js';
import type { ErrorDocument } from '../fault.js';
import type { ConsoleShot } from '../guest/console.js';
import { utcMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import {
  hintLines,
  labelled,
  type Paint,
  painter,
  type Style,
  type Tone,
  textWidth,
  wrap,
} from '../report/layout.js';
import type { Diagnosis } from './diagnose.js';
import type { ObservedHost } from './observed.js';

const WIDEST = 110;

/** What was done, the layers from outside in, what is wrong and what to do. Pure. */
export function recoverText(
  {
    observed,
    shot,
    done,
    diagnosis,
    error,
    evidence,
  }: {
    readonly observed: ObservedHost;
    /** Null where the console was not looked at. */
    readonly shot: ConsoleShot | null;
    readonly done: readonly string[];
    readonly diagnosis: Diagnosis;
    readonly error: ErrorDocument | null;
    /** Lines that name the cause of the error. */
    readonly evidence: readonly string[];
  },
  style: Style,
): string {
  const paint = painter(style.color);
  const width = Math.min(style.columns, WIDEST);
  return [
    ...done.flatMap((text) => wrap(`done: ${text}`, width).map((line) => paint('good', line))),
    ...(error ? refusal(error, paint, width) : []),
    ...evidence.flatMap((line) => wrap(line, width - 2).map((each) => `  ${each}`)),
    ...(done.length > 0 || error ? [''] : []),
    headline(observed.host, diagnosis, paint),
    ...rowsOf(observed, shot, { healthy: diagnosis.healthy, width: textWidth(style) }).flatMap(
      ({ label, lines, bad }) => labelled(paint, label, lines, bad ? 'bad' : 'quiet'),
    ),
    '',
    ...wrap(diagnosis.problem, width).map((line) => paint('strong', line)),
    ...steps(observed.host, diagnosis, width),
    '',
  ].join('\n');
}

function headline(host: string, { healthy, steps: left }: Diagnosis, paint: Paint): string {
  const [tone, word]: [Tone, string] = !healthy
    ? ['bad', 'not well']
    : left.length > 0
      ? ['careful', 'well, but something is left behind']
      : ['good', 'well'];
  return `${paint('strong', oneLine(host))}: ${paint(tone, word)}`;
}

const refusal = ({ message, hint }: ErrorDocument, paint: Paint, width: number): string[] => [
  ...wrap(message, width).map((line) => paint('bad', line)),
  ...(hint ? hintLines(hint, width - 2).map((line) => `  ${line}`) : []),
];

function steps(host: string, { steps: all }: Diagnosis, width: number): string[] {
  return all.flatMap(({ text, flag, command }, index) => [
    ...wrap(`${index + 1}. ${text}`, width - 5).map((line, at) => `${at === 0 ? '  ' : '     '}${line}`),
    ...(command ? [`     ${oneLine(command)}`] : []),
    ...(flag ? [`     pbs-ctl recover --host ${host} --${flag}`] : []),
  ]);
}

interface Row {
  readonly label: string;
  readonly lines: readonly string[];
  readonly bad: boolean;
}

function rowsOf(
  observed: ObservedHost,
  shot: ConsoleShot | null,
  { healthy, width }: { readonly healthy: boolean; readonly width: number },
): Row[] {
  const row = (label: string, text: string, bad = false): Row => ({ label, lines: wrap(text, width), bad });
  const { vm, vmError, inside, agentError } = observed;
  return [
    ...(vm
      ? [
          row('cluster', `${vm.cluster}, node ${vm.node}${nodeState(vm)}`, vm.nodeOnline === false),
          row('VM', vmText(vm), vm.status !== 'running' || (vm.qmpStatus ?? 'running') !== 'running'),
          // Not wrapped: it is to be copied.
          { label: 'console', lines: [oneLine(vm.consoleUrl)], bad: false },
          ...(shot ? [{ label: 'screen', lines: screenLines(shot, width), bad: false }] : []),
        ]
      : [row('VM', vmError?.message ?? 'no guest in the config', vmError !== null)]),
    row('agent', agentText(observed.agent, agentError), ['silent', 'refuses'].includes(observed.agent)),
    ...(inside ? insideRows(inside, row) : []),
    row(
      'PBS',
      `proxy ${observed.proxy}, daemon ${observed.daemon}${observed.servicesDown.length > 0 ? `; not running: ${observed.servicesDown.join(', ')}` : ''}`,
      observed.proxy !== 'answers' || observed.daemon === 'silent' || observed.servicesDown.length > 0,
    ),
    ...datastoreRows(observed, width),
    row('fence', fenceText(observed)),
    row('lock', lockText(observed), observed.unknownLocks.length > 0),
    ...observed.runs.flatMap((run) => [
      row(
        'run',
        `${run.run}: ${run.outcome ?? 'end not recorded'} in phase ${run.phase}, ${utcMoment(run.lastAt)}${run.error ? `: ${run.error.message}` : ''}`,
      ),
      ...(run.evidence.length === 0
        ? []
        : [{ label: 'evidence', lines: run.evidence.flatMap((line) => wrap(line, width)), bad: false }]),
    ]),
    ...(inside && !healthy ? journalRows(inside.journal, width) : []),
  ];
}

const nodeState = ({ nodeOnline, nodeError }: NonNullable<ObservedHost['vm']>) =>
  nodeError
    ? ` (whether it is online is not known: ${nodeError.message})`
    : nodeOnline === false
      ? ' (offline)'
      : '';

function screenLines({ file, note, error }: ConsoleShot, width: number): string[] {
  if (error) {
    const why = wrap(`not available: ${error.message}`, width);
    return error.hint ? [...why, ...hintLines(error.hint, width)] : why;
  }
  // A path is not wrapped: it is to be copied.
  return [...(file ? [oneLine(file)] : []), ...(note ? wrap(note, width) : [])];
}

const vmText = ({ vmid, status, qmpStatus, lock }: NonNullable<ObservedHost['vm']>): string =>
  `${vmid}: ${status}${qmpStatus && qmpStatus !== status ? ` (${qmpStatus})` : ''}${lock ? `, locked (${lock})` : ''}`;

function agentText(agent: ObservedHost['agent'], error: ErrorDocument | null): string {
  if (agent === 'answers') return 'answers';
  if (agent === 'not-asked') return 'not asked';
  // The request did not get as far as the guest.
  if (error?.code.startsWith('net.')) return `not known: ${error.message}`;
  return agent === 'silent' ? 'does not answer' : `cannot be used: ${error?.message ?? ''}`;
}

function insideRows(
  inside: NonNullable<ObservedHost['inside']>,
  row: (label: string, text: string, bad?: boolean) => Row,
): Row[] {
  const { state, kernel, uptimeSeconds, failedUnits, missingMounts, readOnlyMounts, audit } = inside;
  const up = uptimeSeconds === null ? '' : `, up for ${formatDuration(Math.round(uptimeSeconds) * 1000)}`;
  const mounts = [
    missingMounts.length > 0 ? `missing: ${missingMounts.join(', ')}` : '',
    readOnlyMounts.length > 0 ? `read-only: ${readOnlyMounts.join(', ')}` : '',
  ].filter(Boolean);
  return [
    row('system', `${state ?? 'in an unknown state'}, kernel ${kernel ?? 'unknown'}${up}`),
    row(
      'units',
      failedUnits.length > 0 ? `failed: ${failedUnits.join(', ')}` : 'none failed',
      failedUnits.length > 0,
    ),
    row('mounts', mounts.join('; ') || 'as in fstab', mounts.length > 0),
    row('packages', audit === '' ? 'whole' : audit, audit !== ''),
  ];
}

function datastoreRows({ datastores }: ObservedHost, width: number): Row[] {
  if (datastores.length === 0) return [{ label: 'datastores', lines: ['unknown'], bad: false }];
  return [
    {
      label: 'datastores',
      lines: byState(datastores).flatMap(([names, state]) => wrap(`${names}: ${state}`, width)),
      bad: datastores.some(({ state }) => state !== 'ok'),
    },
  ];
}

/** By the journals, where PBS does not answer. */
function fenceText({ fences, proxy, runs }: ObservedHost): string {
  if (proxy === 'answers')
    return fences.map(({ datastore, run }) => `${datastore} (run ${run})`).join(', ') || 'none by pbs-ctl';
  const put = runs.flatMap(({ run, leftBehind: { fenced } }) => fenced.map((name) => `${name} (run ${run})`));
  return put.length > 0 ? `set on ${put.join(', ')}; PBS does not answer` : 'unknown: PBS does not answer';
}

function lockText({ locks, foreignLocks, unknownLocks }: ObservedHost): string {
  const texts = [
    ...locks.map(
      ({ cluster, run, until, expired }) =>
        `${cluster} (run ${run}, ${expired ? 'expired at' : 'until'} ${utcMoment(until)})`,
    ),
    ...foreignLocks.map(({ cluster, owner }) =>
      owner === null ? `${cluster}: a lock tag that cannot be read` : `${cluster}: held by ${owner}`,
    ),
    ...unknownLocks.map(({ cluster, error }) => `${cluster}: not known (${error.message})`),
  ];
  return texts.join(', ') || 'none of this host';
}

const JOURNAL_LINES = 4;
const indented = (line: string, index: number) => `${index === 0 ? '  ' : '    '}${line}`;

function journalRows(journal: NonNullable<ObservedHost['inside']>['journal'], width: number): Row[] {
  return journal
    .filter(({ lines }) => lines.length > 0)
    .map(({ unit, lines }) => ({
      label: 'journal',
      lines: [
        `${unit ?? 'errors of this boot'}:`,
        // Whole lines: what matters is often at the end.
        ...lines.slice(-JOURNAL_LINES).flatMap((line) => wrap(line, width - 4).map(indented)),
      ],
      bad: false,
    }));
}
