import type { createLogUpdate } from 'log-update';
import { localClock } from '../moment.js';
import { oneLine } from '../printable.js';
import type { Clock, Out, World } from '../world.js';
import { advance, type Board, draw, drawRow, emptyBoard } from './board.js';
import type { Progress, Reporter, Screen } from './events.js';
import { wrap } from './layout.js';

/** Live on a terminal; elsewhere, or where the cursor cannot be moved, a line per event. */
export async function screenFor(
  { stderr, clock, env }: World,
  { quiet, verbose, color }: { quiet?: boolean; verbose?: boolean; color: boolean },
): Promise<Screen> {
  if (quiet) return plain(() => SILENT);
  const canDraw = stderr.isTTY && env.TERM !== 'dumb' && !env.CI;
  if (!canDraw || verbose) return plain(() => lineReporter(stderr, verbose === true, clock));
  // Loaded only where it draws.
  const { createLogUpdate } = await import('log-update');
  return liveScreen(createLogUpdate(stderr.stream), stderr, color, clock);
}

const SILENT: Reporter = { emit: () => {}, end: () => {} };
const plain = (begin: () => Reporter): Screen => ({ begin, above: (write) => write() });

function lineReporter(out: Out, verbose: boolean, clock: Pick<Clock, 'now'>): Reporter {
  let last = '';
  return {
    emit: (progress) => {
      const text = lineOf(progress, verbose);
      if (text === null || text === last) return;
      last = text;
      out.write(`${localClock(clock.now())} ${oneLine(text)}\n`);
    },
    end: () => {},
  };
}

function lineOf(progress: Progress, verbose: boolean): string | null {
  const { host } = progress;
  switch (progress.event) {
    case 'begun':
      return verbose ? `${host} run ${progress.runId}` : null;
    case 'phase':
      if (progress.status === 'started') return verbose ? `${host} ${progress.phase} …` : null;
      return `${host} ${progress.phase}: ${progress.status}${progress.text ? `, ${progress.text}` : ''}`;
    case 'check':
      return verbose || ['warn', 'block'].includes(progress.status)
        ? `${host}   ${progress.status} ${progress.id}: ${progress.summary}`
        : null;
    case 'note':
      return `${host} ${progress.text}`;
    case 'step':
      return `${host}   ${progress.label}${progress.percent === null ? '' : ` ${Math.round(progress.percent)} %`}: ${progress.text}`;
  }
}

const FRAME_MS = 100;
type LogUpdate = ReturnType<typeof createLogUpdate>;

/**
 * Redrawn at the bottom of the terminal: the board of a run, or a row for each of several. Notes, and boards of
 * runs that have ended, stay above it.
 */
function liveScreen(
  screen: LogUpdate,
  out: Out,
  color: boolean,
  clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>,
): Screen {
  const boards = new Set<{ board: Board | null }>();
  let several = false;
  let tick = 0;
  let animation: AbortController | null = null;
  const drawing = () => ({ color, columns: out.columns, now: clock.monotonic(), tick: tick++ });
  const redraw = () => {
    const shown = [...boards].flatMap(({ board }) => board ?? []);
    const [only] = shown;
    if (!only) return;
    const paper = drawing();
    screen(several ? shown.map((board) => drawRow(board, paper)).join('\n') : draw(only, paper));
  };
  const animate = () => {
    const stop = new AbortController();
    const frames = async () => {
      for (;;) {
        await clock.sleep(FRAME_MS, stop.signal);
        redraw();
      }
    };
    frames().catch(() => {});
    return stop;
  };
  const above = (write: () => void) => {
    screen.clear();
    write();
    redraw();
  };
  return {
    above,
    begin: () => {
      const mine: { board: Board | null } = { board: null };
      boards.add(mine);
      several = boards.size > 1 || several;
      animation ??= animate();
      return {
        emit: (progress) => {
          mine.board = advance(mine.board ?? emptyBoard(progress.host), progress, clock.monotonic());
          if (progress.event !== 'note') return redraw();
          const whose = several ? `${oneLine(progress.host)} ` : '';
          const at = localClock(clock.now());
          const lines = wrap(`${at} ${whose}${progress.text}`, out.columns);
          above(() => out.write(`${lines.join('\n')}\n`));
        },
        end: () => {
          boards.delete(mine);
          const { board } = mine;
          above(() => board && out.write(`${draw(board, drawing())}\n`));
          if (boards.size > 0) return;
          animation?.abort();
          animation = null;
          several = false;
          screen.done();
        },
      };
    },
  };
}
