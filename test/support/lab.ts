import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Lab, type LabOptions, startLab } from '../../src/lab/lab.js';

/** A lab that lasts as long as the test that is given it. */
export async function withLab<Result>(
  options: LabOptions,
  test: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const lab = await startLab({ factor: 40, ...options });
  try {
    return await test(lab);
  } finally {
    await lab.stop();
  }
}

/** What the lab's servers recorded of a kind of event on a host. */
export const eventsOf = (lab: Lab, kind: string, host = 'pbs01') =>
  lab.record.events.filter((event) => event.kind === kind && event.host === host);

/** Tags of the guest that carries the lock. */
export const carrierTags = (lab: Lab): string => lab.cluster.guests.get(900)?.config.tags ?? '';

/** Every maintenance mode of a host's datastores that is set. */
export const fences = (lab: Lab, host = 'pbs01'): string[] =>
  (lab.hosts.get(host)?.datastores ?? []).flatMap(({ name, maintenance }) =>
    maintenance === null ? [] : [`${name}: ${maintenance}`],
  );

/** Everything that stands in the files below a folder. */
export function everythingIn(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? everythingIn(path) : readFileSync(path, 'utf8')))
    .join('\n');
}

/** Resolves once the condition holds; rejects after a minute, saying what was waited for. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > limit) throw new Error(`waited a minute in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
