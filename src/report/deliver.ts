import type { Config } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { addDelivery, postponedInARow, runsOf, wholeHistories } from '../journal/runs.js';
import type { RunState } from '../journal/state.js';
import type { World } from '../world.js';
import { hostMetrics, metricsText, writeMetrics } from './metrics.js';
import { notify } from './notify.js';

/**
 * Tells everybody whom the config names of a run: Slack, a webhook, the metrics file. Whatever fails is
 * a warning in its journal and in the report that comes back, and never changes the outcome.
 */
export async function deliver(
  doc: RunDocument,
  { config, stateDir }: { config: Config; stateDir: string },
  world: World,
): Promise<RunDocument> {
  const { textfile } = config.metrics;
  const { warnings, told } = await notify(doc, config.notify, {
    secrets: (reference) => readSecret(reference, world),
    clock: world.clock,
    lastTold: doc.outcome === 'postponed' ? lastTold(stateDir, doc.host) : null,
  });
  if (told !== null) addDelivery(stateDir, doc.runId, [{ type: 'told', reasons: told }], world.clock);
  if (textfile !== null) {
    try {
      writeMetrics(textfile, metricsText(hostMetrics(wholeHistories(stateDir))));
    } catch (error) {
      warnings.push(errorDocument(error).message);
    }
  }
  const events = warnings.map((text) => ({ type: 'warning', text }) as const);
  addDelivery(stateDir, doc.runId, events, world.clock);
  return warnings.length === 0 ? doc : { ...doc, warnings: [...doc.warnings, ...warnings] };
}

/** What Slack was last told of the postponements in a row; null also where it cannot be read: twice is better than not at all. */
function lastTold(stateDir: string, host: string): RunState['told'] {
  try {
    return postponedInARow(runsOf(stateDir, host)).findLast(({ told }) => told !== null)?.told ?? null;
  } catch {
    return null;
  }
}
