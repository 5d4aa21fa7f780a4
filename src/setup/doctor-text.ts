import { oneLine, painter, type Style, type Tone, wrap } from '../report/layout.js';
import type { Diagnosis } from './diagnosis.js';

const TONE: Readonly<Record<Diagnosis['status'], Tone>> = {
  pass: 'good',
  warn: 'careful',
  block: 'bad',
  skip: 'quiet',
};
const TOPIC_WIDTH = 10;
const INDENT = 2 + 5 + 1 + TOPIC_WIDTH + 2;

/** What `doctor` found, by subject; under each finding the commands that mend it, never broken, so that they can be copied. */
export function diagnosesText(diagnoses: readonly Diagnosis[], { color, columns }: Style): string {
  const paint = painter(color);
  const width = Math.max(30, Math.min(columns, 130) - INDENT);
  const told = new Set<string>();
  const lines = [...new Set(diagnoses.map(({ subject }) => subject))].flatMap((subject) => [
    paint('strong', oneLine(subject)),
    ...diagnoses
      .filter((each) => each.subject === subject)
      .flatMap(({ status, topic, summary, hint, mends }) => {
        const [first = '', ...rest] = wrap(summary, width);
        const mending = mends.flatMap(({ where, commands }) => {
          const fresh = commands.map(oneLine).filter((command) => !told.has(`${where}: ${command}`));
          for (const command of fresh) told.add(`${where}: ${command}`);
          if (fresh.length === 0) return [`      ${paint('quiet', `${where}: as above`)}`];
          return [
            `      ${paint('quiet', `${oneLine(where)}:`)}`,
            ...fresh.map((command) => `        ${command}`),
          ];
        });
        return [
          `  ${paint(TONE[status], status.padEnd(5))} ${topic.padEnd(TOPIC_WIDTH)}  ${first}`.trimEnd(),
          ...[...rest, ...(hint === null ? [] : wrap(hint, width))].map(
            (line) => `${' '.repeat(INDENT)}${line}`,
          ),
          ...mending,
        ];
      }),
  ]);
  return [...lines, '', verdict(diagnoses, paint), ''].join('\n');
}

function verdict(diagnoses: readonly Diagnosis[], paint: ReturnType<typeof painter>): string {
  const count = (status: Diagnosis['status']) => diagnoses.filter((each) => each.status === status).length;
  const [blocks, warns] = [count('block'), count('warn')];
  const things = (number: number) => `${number} ${number === 1 ? 'thing' : 'things'}`;
  if (blocks > 0) {
    const also = warns > 0 ? `, and ${things(warns)} to look at` : '';
    return paint('bad', `${things(blocks)} to mend before a run${also}`);
  }
  if (warns > 0) return paint('careful', `ready to run; ${things(warns)} to look at`);
  return paint('good', 'all well');
}
