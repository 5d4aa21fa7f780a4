import type { World } from '../world.js';
import type { Reporter } from './events.js';
import { lineReporter } from './lines.js';

const SILENT: Reporter = { tell: () => {}, end: () => {} };

/** Live on a terminal, a line an event elsewhere: a pipe, a journal, CI, a terminal that cannot move its cursor. */
export async function reporterFor(
  { stderr, clock, env }: World,
  { quiet, verbose, color }: { quiet?: boolean; verbose?: boolean; color: boolean },
): Promise<Reporter> {
  if (quiet) return SILENT;
  const canDraw = stderr.isTTY && env.TERM !== 'dumb' && !env.CI;
  if (!canDraw || verbose) return lineReporter(stderr, verbose === true, clock);
  const { liveReporter } = await import('./live.js');
  return liveReporter(stderr, color, clock, stderr.stream);
}
