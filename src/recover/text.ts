import type { ErrorDocument } from '../fault.js';
import type { ConsoleShot } from '../guest/console.js';
import {
  hintLines,
  labelled,
  oneLine,
  type Paint,
  painter,
  type Style,
  type Tone,
  textWidth,
  wrap,
} from '../report/layout.js';
import { sightRows } from './rows.js';
import type { Sight } from './sight.js';
import type { Diagnosis } from './step.js';

const WIDEST = 110;

/** What was done, then the layers from outside in, then what is wrong and what to do. Pure. */
export function recoverText(
  {
    sight,
    shot,
    done,
    diagnosis,
    error,
  }: {
    readonly sight: Sight;
    /** Null where nobody looked at the console. */
    readonly shot: ConsoleShot | null;
    readonly done: readonly string[];
    readonly diagnosis: Diagnosis;
    readonly error: ErrorDocument | null;
  },
  style: Style,
): string {
  const paint = painter(style.color);
  const width = Math.min(style.columns, WIDEST);
  return [
    ...done.flatMap((text) => wrap(`done: ${text}`, width).map((line) => paint('good', line))),
    ...(error ? refusal(error, paint, width) : []),
    ...(done.length > 0 || error ? [''] : []),
    headline(sight.host, diagnosis, paint),
    ...sightRows(sight, shot, { healthy: diagnosis.healthy, width: textWidth(style) }).flatMap(
      ({ label, lines, bad }) => labelled(paint, label, lines, bad ? 'bad' : 'quiet'),
    ),
    '',
    ...wrap(diagnosis.problem, width).map((line) => paint('strong', line)),
    ...steps(sight.host, diagnosis, width),
    '',
  ].join('\n');
}

function headline(host: string, { healthy, steps: left }: Diagnosis, paint: Paint): string {
  const [tone, word]: [Tone, string] = !healthy
    ? ['bad', 'in need of help']
    : left.length > 0
      ? ['careful', 'well, with something left behind']
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
