import { createLogUpdate } from 'log-update';
import { wrap } from '../report/layout.js';
import type { Clock, Out } from '../world.js';
import { advance, type Board, draw, emptyBoard } from './board.js';
import type { Reporter } from './events.js';

const FRAME_MS = 100;

/** A board that is drawn over and over at the bottom of a terminal; notes stay above it. */
export function liveReporter(
  out: Out,
  color: boolean,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  stream: NodeJS.WritableStream,
): Reporter {
  const screen = createLogUpdate(stream);
  let board: Board | null = null;
  let tick = 0;
  const redraw = () => {
    if (board) screen(draw(board, { color, columns: out.columns, now: clock.monotonic(), tick: tick++ }));
  };
  const timer = setInterval(redraw, FRAME_MS);
  timer.unref();
  return {
    tell: (progress) => {
      if (progress.kind === 'note') {
        screen.clear();
        const time = new Date(clock.now()).toTimeString().slice(0, 8);
        out.write(`${wrap(`${time} ${progress.text}`, out.columns).join('\n')}\n`);
      }
      board = advance(board ?? emptyBoard(progress.host), progress, clock.monotonic());
      redraw();
    },
    end: () => {
      clearInterval(timer);
      redraw();
      screen.done();
    },
  };
}
