import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.js';
import { about, type Diagnosis, failed } from './diagnosis.js';

export interface Here {
  /** Of the config file. */
  readonly path: string;
  readonly config: Config;
  readonly stateDir: string;
}

/** What lies on this machine: the config, the folder of the runs, that of the metrics. */
export async function examineHere({ path, config, stateDir }: Here): Promise<Diagnosis[]> {
  const { textfile } = config.metrics;
  return [
    await examineConfig(path, Object.keys(config.hosts).length, Object.keys(config.clusters).length),
    await examineState(stateDir),
    ...(textfile === null ? [] : [await examineMetrics(textfile)]),
  ];
}

async function examineConfig(path: string, hosts: number, clusters: number): Promise<Diagnosis> {
  const { pass, warn } = about('here', 'config');
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  const words = `${path}: ${count(hosts, 'host')}, ${count(clusters, 'cluster')}`;
  const { mode } = await stat(path);
  // Who may write it decides which servers are trusted, and where secrets are read from.
  if (!(mode & 0o022)) return pass(words);
  return warn(`${words}; others may write it (mode ${(mode & 0o777).toString(8)})`, {
    mends: [{ where: 'here', commands: [`chmod go-w ${path}`] }],
  });
}

async function examineState(stateDir: string): Promise<Diagnosis> {
  const { pass, block } = about('here', 'state');
  const nearest = await firstThatExists(stateDir);
  if (await isWritable(nearest))
    return pass(`${stateDir}${nearest === stateDir ? '' : ' (made by the first run)'}`);
  return block(`${stateDir}, where runs are journaled, cannot be written`, {
    hint: 'Without a journal no run begins. Or set "stateDir" to another folder.',
    mends: [{ where: 'here, as root', commands: [`install -d -m 700 -o "$SUDO_USER" ${stateDir}`] }],
  });
}

async function examineMetrics(textfile: string): Promise<Diagnosis> {
  const folder = dirname(textfile);
  const { pass, block } = about('here', 'metrics');
  try {
    if (!(await stat(folder)).isDirectory()) return block(`${folder} is no folder`);
  } catch (error) {
    return failed('here', 'metrics', error, [
      { where: 'here, as root', commands: [`install -d -m 775 ${folder}`] },
    ]);
  }
  if (await isWritable(folder)) return pass(textfile);
  return block(`${folder}, where the metrics are to go, cannot be written`, {
    mends: [{ where: 'here, as root', commands: [`setfacl -m u:"$SUDO_USER":rwx ${folder}`] }],
  });
}

async function firstThatExists(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    if (
      (await access(at).then(
        () => true,
        () => false,
      )) ||
      dirname(at) === at
    )
      return at;
  }
}

const isWritable = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
