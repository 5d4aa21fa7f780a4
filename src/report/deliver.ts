import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { wholeHistories } from '../journal/runs.js';
import type { World } from '../world.js';
import { hostMetrics, metricsText, writeMetrics } from './metrics.js';
import { type NotifyMemory, notify } from './notify.js';

/**
 * Tells everybody whom the config names of a run: Slack, a webhook, the metrics file. Whatever fails is
 * a warning in the report that comes back, and never changes the outcome.
 */
export async function deliver(
  doc: RunDocument,
  { config, stateDir }: { config: Config; stateDir: string },
  world: World,
): Promise<RunDocument> {
  const { textfile } = config.metrics;
  const warnings = await notify(doc, config.notify, {
    secrets: (reference) => readSecret(reference, world),
    clock: world.clock,
    memory: memoryIn(stateDir),
  });
  if (textfile !== null) {
    try {
      await writeMetrics(textfile, metricsText(hostMetrics(wholeHistories(stateDir))));
    } catch (error) {
      warnings.push(errorDocument(error).message);
    }
  }
  return warnings.length === 0 ? doc : { ...doc, warnings: [...doc.warnings, ...warnings] };
}

const remembered = z.record(z.string(), z.object({ reasons: z.string(), sentAt: z.iso.datetime() }));

/** `stateDir/postponements-told.json`. One that cannot be read counts as empty: telling twice is better than not at all. */
function memoryIn(stateDir: string): NotifyMemory {
  const path = join(stateDir, 'postponements-told.json');
  const read = async (): Promise<z.output<typeof remembered>> => {
    try {
      return remembered.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      return {};
    }
  };
  return {
    get: async (host) => (await read())[host] ?? null,
    set: async (host, sent) => {
      const { [host]: old, ...others } = await read();
      if (!old && !sent) return;
      const half = `${path}.${process.pid}.tmp`;
      await writeFile(half, JSON.stringify(sent ? { ...others, [host]: sent } : others), { mode: 0o600 });
      await rename(half, path);
    },
  };
}
