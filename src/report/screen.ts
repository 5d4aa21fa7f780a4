import type { World } from '../world.js';
import type { Reporter } from './events.js';
import { lineReporter } from './lines.js';

/** Where several runs tell of their progress at once. */
export interface Screen {
  /** For one run. */
  begin(): Reporter;
  /** Writes what is to stay, on whatever stream, without getting into what is drawn. */
  above(write: () => void): void;
}

const SILENT: Reporter = { tell: () => {}, end: () => {} };
const plain = (begin: () => Reporter): Screen => ({ begin, above: (write) => write() });

/** Live on a terminal, a line an event elsewhere: a pipe, a journal, CI, a terminal that cannot move its cursor. */
export async function screenFor(
  { stderr, clock, env }: World,
  { quiet, verbose, color }: { quiet?: boolean; verbose?: boolean; color: boolean },
): Promise<Screen> {
  if (quiet) return plain(() => SILENT);
  const canDraw = stderr.isTTY && env.TERM !== 'dumb' && !env.CI;
  if (!canDraw || verbose) return plain(() => lineReporter(stderr, verbose === true, clock));
  const { liveScreen } = await import('./live.js');
  return liveScreen(stderr, color, clock, stderr.stream);
}
