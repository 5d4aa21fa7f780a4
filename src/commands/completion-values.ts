import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { stateDirOf } from '../config/target.js';
import { readRuns } from '../journal/runs.js';
import { SCENARIOS } from '../lab/scenario.js';
import type { World } from '../world.js';

interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** What may stand at a place: some words, or what the shell itself knows of files. */
export type Candidates = readonly Candidate[] | 'files';

const FILES = new Set(['--config', '--dir', '--events', '--output']);

/** What can stand for a value. What cannot be found out has no candidates: a shell is no place for errors. */
export async function valuesOf(
  typed: readonly string[],
  world: World,
): Promise<(place: string) => Candidates> {
  const config = await configOf(typed, world);
  const hosts = Object.entries(config?.hosts ?? {}).map(([word, { endpoint }]) => ({
    word,
    description: endpoint,
  }));
  const clusters = Object.entries(config?.clusters ?? {}).map(([word, { endpoints }]) => ({
    word,
    description: endpoints[0] ?? '',
  }));
  return (place) => {
    const name = place.split(' ').at(-1) ?? '';
    if (FILES.has(name)) return 'files';
    if (name === '--host') return hosts;
    if (name === '--cluster' && !place.startsWith('init')) return clusters;
    if (name === '--scenario') return SCENARIOS.map(({ name: word, description }) => ({ word, description }));
    if (place === 'report run') return config ? runsOf(config, world) : [];
    return [];
  };
}

async function configOf(typed: readonly string[], { env, cwd }: World): Promise<Config | null> {
  const at = typed.lastIndexOf('--config', typed.length - 2);
  const joined = typed.find((word) => word.startsWith('--config='))?.slice('--config='.length);
  const path = joined ?? (at >= 0 ? typed[at + 1] : undefined);
  try {
    return (await loadConfig({ ...(path ? { path } : {}), env, cwd })).config;
  } catch {
    return null;
  }
}

function runsOf(config: Config, { env }: World): Candidate[] {
  try {
    const runs = readRuns(stateDirOf(config, env)).runs.map(({ runId, host }) => ({
      word: runId,
      description: host,
    }));
    return [{ word: 'last', description: 'the newest' }, ...runs.reverse()];
  } catch {
    return [];
  }
}
