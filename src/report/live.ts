import { createLogUpdate } from 'log-update';
import { localClock } from '../moment.js';
import type { Clock, Out } from '../world.js';
import { advance, type Board, draw, drawRow, emptyBoard } from './board.js';
import { oneLine, wrap } from './layout.js';
import type { Screen } from './screen.js';

const FRAME_MS = 100;

/**
 * What is drawn over and over at the bottom of a terminal: the whole board of a run, or a row for each
 * where several are under way. Notes, and the boards of runs that have ended, stay above it.
 */
export function liveScreen(
  out: Out,
  color: boolean,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  stream: NodeJS.WritableStream,
): Screen {
  const screen = createLogUpdate(stream);
  const boards = new Set<{ board: Board | null }>();
  let several = false;
  let tick = 0;
  let timer: NodeJS.Timeout | undefined;
  const drawing = () => ({ color, columns: out.columns, now: clock.monotonic(), tick: tick++ });
  const redraw = () => {
    const shown = [...boards].flatMap(({ board }) => board ?? []);
    const [only] = shown;
    if (!only) return;
    const paper = drawing();
    screen(several ? shown.map((board) => drawRow(board, paper)).join('\n') : draw(only, paper));
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
      timer ??= setInterval(redraw, FRAME_MS).unref();
      return {
        tell: (progress) => {
          mine.board = advance(mine.board ?? emptyBoard(progress.host), progress, clock.monotonic());
          if (progress.kind !== 'note') return redraw();
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
          clearInterval(timer);
          timer = undefined;
          several = false;
          screen.done();
        },
      };
    },
  };
}
