import { localClock } from '../moment.js';
import type { Clock, Out } from '../world.js';
import type { Progress, Reporter } from './events.js';

/** A line per event, for pipes, journals and CI. */
export function lineReporter(out: Out, verbose: boolean, clock: Pick<Clock, 'now'>): Reporter {
  let last = '';
  return {
    tell: (progress) => {
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
  switch (progress.kind) {
    case 'begun':
      return verbose ? `${host} run ${progress.runId}` : null;
    case 'phase':
      if (progress.status === 'started') return verbose ? `${host} ${progress.phase} …` : null;
      return `${host} ${progress.phase}: ${progress.status}${progress.text ? `, ${progress.text}` : ''}`;
    case 'check':
      return verbose || ['warn', 'block'].includes(progress.finding.status)
        ? `${host}   ${progress.finding.status} ${progress.finding.id}: ${progress.finding.summary}`
        : null;
    case 'note':
      return `${host} ${progress.text}`;
    case 'step':
      return `${host}   ${progress.label}${progress.percent === null ? '' : ` ${Math.round(progress.percent)} %`}: ${progress.text}`;
  }
}
