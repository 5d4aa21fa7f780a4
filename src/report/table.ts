import { oneLine, type Paint, type Tone } from './layout.js';

/** A cell that is drawn in a tone; a plain text is drawn as it is. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface Row {
  readonly cells: readonly Cell[];
  /** The lines of the last column, for the width that is left for it. */
  readonly rest?: (width: number) => readonly string[];
}

interface TableStyle {
  readonly paint: Paint;
  /** Width of a whole line. */
  readonly columns: number;
  /** Spaces before each line. */
  readonly indent?: number;
  /** The least widths of the columns, in their order. */
  readonly least?: readonly number[];
  /** The last column keeps so much, however wide the others are. */
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
    const [first = '', ...others] = rest?.(Math.max(leastRest, columns - before)) ?? [];
    return [
      `${' '.repeat(indent)}${drawn.join(' ')}  ${first}`.trimEnd(),
      ...others.map((line) => `${' '.repeat(before)}${line}`.trimEnd()),
    ];
  });
}
