import { createLogUpdate } from 'log-update';
import { localClock } from '../moment.js';
import type { Clock, Out } from '../world.js';
import { advance, type Board, draw, drawRow, emptyBoard } from './board.js';
import type { Screen } from './events.js';
import { oneLine, wrap } from './layout.js';

const FRAME_MS = 100;

/**
 * What is drawn over and over at the bottom of a terminal: the whole board of a run, or a row for each
 * where several are under way. Notes, and the boards of runs that have ended, stay above it.
 */
export function liveScreen(
  out: Out,
  color: boolean,
  clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>,
): Screen {
  const screen = createLogUpdate(out.stream);
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
