import { styleText } from 'node:util';
import { oneLine, printableLine } from '../printable.js';

/** How a text is drawn: with colour or without, and how wide. */
export interface Style {
  readonly color: boolean;
  readonly columns: number;
}

export type Tone = 'good' | 'bad' | 'careful' | 'quiet' | 'strong';
export type Paint = (tone: Tone, text: string) => string;

const FORMAT = { good: 'green', bad: 'red', careful: 'yellow', quiet: 'gray', strong: 'bold' } as const;

export function painter(color: boolean): Paint {
  return (tone, text) => (color ? styleText(FORMAT[tone], text, { validateStream: false }) : text);
}

/** Breaks prose between words. A word longer than the width stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(/ +/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const COMMAND =
  /^(?:pveum|pvesh|pvecm|qm|pct|proxmox-backup-(?:manager|debug)|pbs-ctl|systemctl|journalctl|apt|for \w+ in) /;

/** Wraps prose, but no command, so that it can be copied. A command is a line of its own in a hint. */
export const hintLines = (hint: string, width: number): string[] =>
  hint.split('\n').flatMap((line) => (COMMAND.test(line) ? [oneLine(line)] : wrap(line, width)));

/** Cuts to a width, the cut being visible. */
export function clip(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

const INDENT = '  ';
const LABEL = 12;

/** The width of text after a label. Very wide terminals are not filled: long lines read badly. */
export const textWidth = ({ columns }: Style): number =>
  Math.max(24, Math.min(columns, 110) - INDENT.length - LABEL - 1);

/** Lines after a label, which is on the first. */
export function labelled(
  paint: Paint,
  label: string,
  lines: readonly string[],
  tone: Tone = 'quiet',
): string[] {
  return lines.map((line, index) =>
    `${INDENT}${index === 0 ? paint(tone, label.padEnd(LABEL)) : ' '.repeat(LABEL)} ${printableLine(line)}`.trimEnd(),
  );
}

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface Row {
  readonly cells: readonly Cell[];
  /** The lines of the last column, for the width left for it. */
  readonly rest?: (width: number) => readonly string[];
}

interface TableStyle {
  readonly paint: Paint;
  readonly columns: number;
  readonly indent?: number;
  /** Least widths of the other columns. */
  readonly least?: readonly number[];
  /** Least width of the last column. */
  readonly leastRest?: number;
}

/** Rows in columns, each as wide as its widest cell. @returns the lines of each row */
export function table(
  rows: readonly Row[],
  { paint, columns, indent = 0, least = [], leastRest = 24 }: TableStyle,
): string[][] {
  const textOf = (cell: Cell) => oneLine(typeof cell === 'string' ? cell : cell.text);
  const count = Math.max(0, ...rows.map(({ cells }) => cells.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(least[column] ?? 0, ...rows.map(({ cells }) => textOf(cells[column] ?? '').length)),
  );
  const before = indent + widths.reduce((sum, width) => sum + width + 1, 0) + 1;
  return rows.map(({ cells, rest }) => {
    const drawn = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      const text = textOf(cell).padEnd(width);
      return typeof cell === 'string' ? text : paint(cell.tone, text);
    });
    const [first = '', ...others] = (rest?.(Math.max(leastRest, columns - before)) ?? []).map(printableLine);
    return [
      `${' '.repeat(indent)}${drawn.join(' ')}  ${first}`.trimEnd(),
      ...others.map((line) => `${' '.repeat(before)}${line}`.trimEnd()),
    ];
  });
}
