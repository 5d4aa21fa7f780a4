import type { Out } from '../world.js';
import type { Progress, Reporter } from './events.js';

/** A line per event, for terminals, pipes and journals alike. */
export function reporterFor(
  out: Out,
  { quiet, verbose }: { quiet?: boolean; verbose?: boolean; color: boolean },
): Reporter {
  let last = '';
  const say = (text: string) => {
    if (text === last) return;
    last = text;
    out.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
  };
  return {
    tell: (progress) => {
      const text = quiet ? null : lineOf(progress, verbose === true);
      if (text !== null) say(text);
    },
    end: () => {},
  };
}

function lineOf(progress: Progress, verbose: boolean): string | null {
  const { host } = progress;
  switch (progress.kind) {
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
