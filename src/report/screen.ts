import { localClock } from '../moment.js';
import type { Clock, Out, World } from '../world.js';
import type { Progress, Reporter, Screen } from './events.js';

/** Live on a terminal, a line an event elsewhere: a pipe, a journal, CI, a terminal that cannot move its cursor. */
export async function screenFor(
  { stderr, clock, env }: World,
  { quiet, verbose, color }: { quiet?: boolean; verbose?: boolean; color: boolean },
): Promise<Screen> {
  if (quiet) return plain(() => SILENT);
  const canDraw = stderr.isTTY && env.TERM !== 'dumb' && !env.CI;
  if (!canDraw || verbose) return plain(() => lineReporter(stderr, verbose === true, clock));
  const { liveScreen } = await import('./live.js');
  return liveScreen(stderr, color, clock);
}

const SILENT: Reporter = { emit: () => {}, end: () => {} };
const plain = (begin: () => Reporter): Screen => ({ begin, above: (write) => write() });

/** A line per event, for pipes, journals and CI. */
function lineReporter(out: Out, verbose: boolean, clock: Pick<Clock, 'now'>): Reporter {
  let last = '';
  return {
    emit: (progress) => {
      const text = lineOf(progress, verbose);
      if (text === null || text === last) return;
      last = text;
      out.write(`${localClock(clock.now())} ${text}\n`);
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
