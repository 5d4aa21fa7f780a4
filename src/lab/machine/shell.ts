import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { TOOLBOX } from './toolbox-folder.js';

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const STAND_INS = readdirSync(TOOLBOX).filter((name) => !name.includes('.'));
// Not after a character that makes it the tail of a longer path or of a variable.
const MACHINE_PATH = /(?<![\w./}-])\/(var|run|proc|etc|mnt|boot|tmp|root)(?![\w-])/g;
const TOOL_PATH = new RegExp(
  `(?<![\\w./}-])/(?:usr/(?:local/)?)?s?bin/(${STAND_INS.join('|')})(?![\\w.-])`,
  'g',
);
const PATH_ASSIGNMENT = /(?<!\w)PATH=(["']?)(?=\/|\$)/g;

/**
 * Moves the absolute paths of a command into the folder that plays the machine's file system: a
 * change of root made by rewriting, since a real one needs privileges. Tools that have a stand-in are
 * never reached by their absolute path either.
 */
export function intoMachine(text: string, root: string): string {
  return text
    .replace(MACHINE_PATH, (path) => root + path)
    .replace(TOOL_PATH, (_, name: string) => `${root}/.machine/toolbox/${name}`)
    .replace(PATH_ASSIGNMENT, (_, quote: string) => `PATH=${quote}${root}/.machine/toolbox:`);
}

/** The reverse, for what the machine prints. */
export function outOfMachine(output: Buffer, root: string): Buffer {
  if (!output.includes(root)) return output;
  return Buffer.from(output.toString('latin1').replaceAll(`${root}/`, '/').replaceAll(root, '/'), 'latin1');
}

/** What a child of the agent finds in its environment: the service's, so no HOME. LAB_* is for the stand-ins. */
export function agentEnvironment(root: string, factor: number): Record<string, string> {
  const toolbox = join(root, '.machine/toolbox');
  return {
    LANG: 'C',
    PATH: `${toolbox}:${SYSTEM_PATH}`,
    LAB_ROOT: root,
    LAB_STATE: join(root, '.machine'),
    LAB_TOOLBOX: toolbox,
    LAB_FACTOR: String(factor),
    LAB_NODE: process.execPath,
    LAB_PID: String(process.pid),
  };
}

/** Looks a program up as execvp does: why it cannot be started, or null when it can. */
export function whyNotExecutable(program: string): 'No such file or directory' | 'Permission denied' | null {
  const candidates = isAbsolute(program)
    ? [program]
    : [TOOLBOX, ...SYSTEM_PATH.split(':')].map((dir) => join(dir, program));
  let found = false;
  for (const candidate of candidates) {
    try {
      const isFile = statSync(candidate).isFile();
      found = true;
      accessSync(candidate, constants.X_OK);
      if (isFile) return null;
    } catch {
      // The next folder may have it.
    }
  }
  return found ? 'Permission denied' : 'No such file or directory';
}
