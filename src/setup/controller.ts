import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config, SecretReference } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { errorDocument, type Fix } from '../fault.js';
import { unsafeState } from '../journal/folders.js';
import type { World } from '../world.js';
import { about, failed, type SetupFinding } from './finding.js';

export interface Controller {
  /** Of the config file. */
  readonly path: string;
  readonly config: Config;
  readonly stateDir: string;
}

/** This machine: the config, the folder of the runs, and that of the metrics. */
export async function examineController({ path, config, stateDir }: Controller): Promise<SetupFinding[]> {
  const { textfile } = config.metrics;
  return [
    await examineConfig(path, Object.keys(config.hosts).length, Object.keys(config.clusters).length),
    await examineState(stateDir),
    ...(textfile === null ? [] : [await examineMetrics(textfile)]),
  ];
}

async function examineConfig(path: string, hosts: number, clusters: number): Promise<SetupFinding> {
  const { pass, warn } = about('controller', 'config');
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  const words = `${path}: ${count(hosts, 'host')}, ${count(clusters, 'cluster')}`;
  const { mode } = await stat(path);
  // Its writers decide which servers are trusted, and where secrets are read from.
  if (!(mode & 0o022)) return pass(words);
  return warn(`${words}; others may write it (mode ${(mode & 0o777).toString(8)})`, {
    fixes: [{ where: 'controller', commands: [`chmod go-w ${path}`] }],
  });
}

async function examineState(stateDir: string): Promise<SetupFinding> {
  const { pass, block } = about('controller', 'state');
  const nearest = await firstThatExists(stateDir);
  const unsafe = unsafeState(stateDir);
  if (unsafe)
    return block(`${unsafe.why}, and a run does what the journals there say`, {
      fixes: [{ where: 'controller', commands: [unsafe.fix] }],
    });
  if (await isWritable(nearest))
    return pass(`${stateDir}${nearest === stateDir ? '' : ' (created by the first run)'}`);
  return block(`${stateDir}, where runs are journaled, cannot be written`, {
    hint: 'Without a journal no run begins. You can also set "stateDir" to another folder.',
    fixes: [{ where: 'controller, as root', commands: [`install -d -m 700 -o "$SUDO_USER" ${stateDir}`] }],
  });
}

async function examineMetrics(textfile: string): Promise<SetupFinding> {
  const folder = dirname(textfile);
  const { pass, block } = about('controller', 'metrics');
  const found = await stat(folder).catch(() => null);
  if (!found)
    return block(`${folder} does not exist`, {
      fixes: [{ where: 'controller, as root', commands: [`install -d -m 775 ${folder}`] }],
    });
  if (!found.isDirectory()) return block(`${folder} is not a folder`);
  if (await isWritable(folder)) return pass(textfile);
  return block(`${folder}, where the metrics go, cannot be written`, {
    fixes: [{ where: 'controller, as root', commands: [`setfacl -m u:"$SUDO_USER":rwx ${folder}`] }],
  });
}

async function firstThatExists(folder: string): Promise<string> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  return exists || dirname(folder) === folder ? folder : firstThatExists(dirname(folder));
}

const isWritable = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );

/** Null where the secret can be read: then there is nothing to report. */
export async function examineSecret(
  subject: string,
  reference: SecretReference,
  world: World,
): Promise<SetupFinding | null> {
  try {
    await readSecret(reference, world);
    return null;
  } catch (error) {
    const command = secretCommand(reference, errorDocument(error).hint ?? '');
    if (command === null) return failed(subject, 'secret', error);
    const fix: Fix = { where: 'controller', commands: [command] };
    return { ...failed(subject, 'secret', error, [fix]), hint: null };
  }
}

function secretCommand(reference: SecretReference, hint: string): string | null {
  if ('env' in reference) return `read -rs ${reference.env} && export ${reference.env}`;
  if ('credential' in reference) return null;
  if (hint.startsWith('chmod')) return hint;
  const { file } = reference;
  return `install -m 600 /dev/null ${file} && cat > ${file}   # paste the secret, then Ctrl-D`;
}
