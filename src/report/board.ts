import { formatDuration } from '../config/quantity.js';
import type { Phase } from '../journal/document.js';
import { oneLine } from '../printable.js';
import type { Progress } from './events.js';
import { clip, painter, type Tone } from './layout.js';

/** One run on a terminal: its phases so far, and its warnings and blocks. */
export interface Board {
  readonly host: string;
  readonly phases: readonly Row[];
  /** Warnings and blocks; the newest of each check. */
  readonly findings: ReadonlyArray<Extract<Progress, { event: 'check' }>>;
}

interface Row {
  readonly phase: Phase;
  readonly status: 'started' | 'done' | 'skipped' | 'failed';
  readonly text: string;
  readonly percent: number | null;
  /** In milliseconds of a monotonic clock. */
  readonly begunAt: number;
  readonly endedAt: number | null;
}

export const emptyBoard = (host: string): Board => ({ host, phases: [], findings: [] });

/** The board after an event. Notes are not on it: they scroll by above. Pure. */
export function advance(board: Board, progress: Progress, now: number): Board {
  switch (progress.event) {
    case 'begun':
    case 'note':
      return board;
    case 'check': {
      const others = board.findings.filter(({ id }) => id !== progress.id);
      const telling = progress.status === 'warn' || progress.status === 'block';
      return { ...board, findings: telling ? [...others, progress] : others };
    }
    case 'step': {
      const last = board.phases.at(-1);
      if (last?.status !== 'started') return board;
      const row = { ...last, text: progress.text, percent: progress.percent };
      return { ...board, phases: [...board.phases.slice(0, -1), row] };
    }
    case 'phase': {
      const { phase, status, text } = progress;
      const at = board.phases.findIndex((row) => row.phase === phase);
      const begunAt = board.phases[at]?.begunAt ?? now;
      const row: Row = {
        phase,
        status,
        text,
        percent: null,
        begunAt: status === 'started' ? now : begunAt,
        endedAt: status === 'started' ? null : now,
      };
      const others = board.phases.filter((each) => each.phase !== phase);
      return { ...board, phases: [...others, row] };
    }
  }
}

interface Drawing {
  readonly color: boolean;
  readonly columns: number;
  readonly now: number;
  /** Counts frames. */
  readonly tick: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const MARK: Readonly<Record<Row['status'], readonly [string, Tone]>> = {
  started: ['', 'strong'],
  done: ['✔', 'good'],
  skipped: ['–', 'quiet'],
  failed: ['✖', 'bad'],
};
const NAME_WIDTH = 10;
const BAR_WIDTH = 20;

/** Never wider than the terminal: a line that wraps cannot be drawn over. Pure. */
export function draw(board: Board, drawing: Drawing): string {
  const { color, columns, now, tick } = drawing;
  const paint = painter(color);
  const room = Math.max(20, columns - NAME_WIDTH - 6);
  const lines = board.phases.map((row) => {
    const [mark, tone] = MARK[row.status];
    const sign = row.status === 'started' ? (SPINNER[tick % SPINNER.length] ?? '') : mark;
    const took = formatDuration((row.endedAt ?? now) - row.begunAt);
    const bar = row.percent === null ? '' : `${barOf(row.percent)} `;
    const text = clip(`${bar}${oneLine(row.text)}`, room - took.length - 2);
    return `  ${paint(tone, sign)} ${row.phase.padEnd(NAME_WIDTH)} ${text}${text === '' ? '' : '  '}${paint('quiet', took)}`;
  });
  const findings = board.findings.map(({ id, status, summary }) => {
    const tone = status === 'block' ? 'bad' : 'careful';
    return `  ${paint(tone, status === 'block' ? '■' : '▲')} ${clip(oneLine(`${id}: ${summary}`), columns - 5)}`;
  });
  return [paint('strong', oneLine(board.host)), ...lines, ...findings].join('\n');
}

/** One line for a run among several: its phase, and how many findings it has. Pure. */
export function drawRow(board: Board, { color, columns, now, tick }: Drawing): string {
  const paint = painter(color);
  const host = oneLine(board.host);
  const row = board.phases.at(-1);
  if (!row) return paint('strong', clip(host, columns));
  const [mark, tone] = MARK[row.status];
  const sign = row.status === 'started' ? (SPINNER[tick % SPINNER.length] ?? '') : mark;
  const blocks = board.findings.filter(({ status }) => status === 'block').length;
  const telling =
    blocks > 0 ? ` ■ ${blocks}` : board.findings.length > 0 ? ` ▲ ${board.findings.length}` : '';
  const took = formatDuration((row.endedAt ?? now) - row.begunAt);
  const percent = row.percent === null ? '' : `${Math.round(row.percent)} % `;
  const name = clip(host, 20).padEnd(10);
  const room = columns - name.length - NAME_WIDTH - telling.length - took.length - 8;
  const text = clip(`${percent}${oneLine(row.text)}`, Math.max(0, room));
  return `${paint('strong', name)} ${paint(tone, sign)} ${row.phase.padEnd(NAME_WIDTH)} ${text}${text === '' ? '' : '  '}${paint('quiet', took)}${paint('careful', telling)}`;
}

function barOf(percent: number): string {
  const full = Math.round((Math.max(0, Math.min(100, percent)) / 100) * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${String(Math.round(percent)).padStart(3)} %`;
}
