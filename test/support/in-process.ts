import { setMaxListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Out, Signals, World } from '../../src/world.js';
import { type Ended, type Running, readJson } from './command.js';

const dist = (file: string) => import(new URL(`../../dist/${file}`, import.meta.url).href);
const { main } = (await dist('program.js')) as typeof import('../../src/program.js');
const { Interrupted, realWorld } = (await dist('world.js')) as typeof import('../../src/world.js');

/**
 * Starts the built command without a process of its own, which costs a third. It may be interrupted as by a signal;
 * for a kill, a terminal, and what cannot be told from here, there is the real process of `command.ts`.
 * @param answers whether it is given an input to type into, or one that has ended
 */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  answers: 'ignore' | 'pipe' = 'ignore',
): Running {
  const { signals, signal } = signalled();
  const input = new PassThrough();
  if (answers === 'ignore') input.end();
  let [stdout, stderr] = ['', ''];
  let told = () => {};
  const world: World = {
    ...realWorld(signals),
    env: { ...process.env, ...env },
    stdin: { isTTY: false, stream: input },
    stdout: taken((text) => {
      stdout += text;
      told();
    }),
    stderr: taken((text) => {
      stderr += text;
      told();
    }),
    confirm: async () => false,
  };
  const ended = main(args, '0.0.0', world).then((code) => ({ code, stdout, stderr }));
  return {
    ended,
    kill: signal,
    type: (text) => void input.write(text),
    end: (text) => void input.end(text),
    says: async (text) => {
      while (!`${stdout}${stderr}`.includes(text)) {
        const more = new Promise<null>((go) => {
          told = () => go(null);
        });
        const over = await Promise.race([ended, more]);
        if (over) throw new Error(`it ended (${over.code}) without saying "${text}": ${over.stderr}`);
      }
    },
  };
}

/** Runs it to its end. */
export const pbsCtl = (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> =>
  start(args, env).ended;

export const pbsCtlJson = <Document>(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<Ended & { document: Document }> => readJson<Document>(pbsCtl([...args, '--json'], env));

/** Signals that never come. */
export const noSignals = (): Signals => signalled().signals;

/** Signals that come when the test says so, as `world.ts` hands on those of a process. */
function signalled(): { signals: Signals; signal: (name: NodeJS.Signals) => void } {
  const [first, second] = [new AbortController(), new AbortController()];
  setMaxListeners(0, first.signal, second.signal);
  return {
    signals: { stop: first.signal, now: second.signal, heedSignals: () => () => {} },
    signal: (name) => {
      if (name === 'SIGKILL') throw new Error('what has no process of its own cannot be killed');
      const next = first.signal.aborted ? second : first;
      next.abort(new Interrupted(name));
    },
  };
}

function taken(write: (text: string) => void): Out {
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => write(chunk.toString('utf8')));
  return { write, isTTY: false, columns: 80, stream };
}
