import { EXIT, Fault } from './fault.js';
import type { Out, World } from './world.js';

/** What a signal makes of a command that has nothing of its own to undo. */
export const interrupted = (signal: string) =>
  new Fault('interrupted', `Interrupted by ${signal} before it was done.`, {
    hint: 'A request that was under way may still be carried out.',
    exitCode: EXIT.interrupted,
  });

/**
 * Ends at SIGINT and SIGTERM while the command does not listen for them itself. What it was waiting for is left
 * to the end of the process, and what it would still print is dropped: there is one document, whatever comes.
 * @throws Fault `interrupted`
 */
export async function interruptible(
  world: World,
  json: boolean,
  act: (world: World) => Promise<number>,
): Promise<number> {
  const listening = new Set<symbol>();
  let answered = false;
  let over = false;
  const write = (text: string) => {
    if (over) return;
    answered = true;
    world.stdout.write(text);
  };
  const inner: World = {
    ...world,
    // Its other properties change with the terminal, so they are asked for and not copied.
    stdout: Object.create(world.stdout, { write: { value: write } }) as Out,
    onSignal: (listener) => {
      const off = world.onSignal(listener);
      const key = Symbol();
      listening.add(key);
      return () => {
        listening.delete(key);
        off();
      };
    },
  };
  let off = () => {};
  const signalled = new Promise<number>((resolve, reject) => {
    off = world.onSignal((signal) => {
      if (listening.size > 0) return;
      over = true;
      // Its document stands there already: only connections were left to be closed.
      if (json && answered) resolve(EXIT.interrupted);
      else reject(interrupted(signal));
    });
  });
  try {
    return await Promise.race([act(inner), signalled]);
  } finally {
    off();
  }
}
