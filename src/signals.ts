import { EXIT } from './fault.js';
import type { Out, World } from './world.js';

/**
 * Ends at SIGINT, SIGTERM and SIGHUP while the command does not heed them itself. What it was waiting for is left
 * to the end of the process, and what it would still print is dropped: there is one document, whatever comes.
 * @throws Fault `interrupted`
 */
export async function interruptible(
  world: World,
  json: boolean,
  act: (world: World) => Promise<number>,
): Promise<number> {
  const ended = new AbortController();
  let heeding = 0;
  let answered = false;
  let over = false;
  const write = (text: string) => {
    if (over) return;
    answered = true;
    world.stdout.write(text);
  };
  const inner: World = {
    ...world,
    // Its other properties change with the terminal, so they are looked up each time and not copied.
    stdout: Object.create(world.stdout, { write: { value: write } }) as Out,
    heedSignals: () => {
      const off = world.heedSignals();
      heeding += 1;
      return () => {
        heeding -= 1;
        off();
      };
    },
  };
  const interrupted = new Promise<number>((resolve, reject) => {
    for (const signal of [world.stop, world.now]) {
      const end = () => {
        if (heeding > 0) return;
        over = true;
        // Its document stands there already: only connections were left to be closed.
        if (json && answered) resolve(EXIT.interrupted);
        else reject(signal.reason);
      };
      signal.addEventListener('abort', end, { signal: ended.signal });
    }
  });
  try {
    return await Promise.race([act(inner), interrupted]);
  } finally {
    ended.abort();
  }
}
