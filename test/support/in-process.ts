import { PassThrough } from 'node:stream';
import { type Out, realWorld, type Signals, type World } from '../../src/world.js';
import { type Ended, readJson } from './command.js';

const { main } = (await import(
  new URL('../../dist/program.js', import.meta.url).href
)) as typeof import('../../src/program.js');

/**
 * Runs the built command to its end without a process of its own, which costs a third. For what a signal, the
 * environment or a terminal can change there is the real process of `command.ts`.
 */
export async function pbsCtl(args: readonly string[]): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  const world: World = {
    ...realWorld(noSignals()),
    stdin: { isTTY: false, stream: new PassThrough() },
    stdout: taken((text) => {
      stdout += text;
    }),
    stderr: taken((text) => {
      stderr += text;
    }),
    confirm: async () => false,
  };
  const code = await main(args, '0.0.0', world);
  return { code, stdout, stderr };
}

/** Signals that never come. */
export const noSignals = (): Signals => ({
  stop: new AbortController().signal,
  now: new AbortController().signal,
  heedSignals: () => () => {},
});

function taken(write: (text: string) => void): Out {
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => write(chunk.toString('utf8')));
  return { write, isTTY: false, columns: 80, stream };
}

export const pbsCtlJson = <Document>(args: readonly string[]) =>
  readJson<Document>(pbsCtl([...args, '--json']));
