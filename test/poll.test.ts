import { describe, expect, it } from 'vitest';
import { poll, retry } from '../src/poll.js';
import { VirtualClock } from './support/virtual-clock.js';

/** Answers one after the other; an Error is thrown. */
function saying<Value>(...answers: readonly (Value | Error)[]) {
  let asked = 0;
  return async () => {
    const answer = answers[asked++] as Value | Error;
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

describe('poll', () => {
  it('looks at once, then at its pace, until there is something', async () => {
    const clock = new VirtualClock();
    const begun = clock.monotonic();
    expect(await clock.until(poll(clock, { everyMs: 500 }, saying(null, null, 'seen')))).toBe('seen');
    expect(clock.monotonic() - begun).toBe(1000);
  });

  it('looks a last time when its limit is over', async () => {
    const clock = new VirtualClock();
    const begun = clock.monotonic();
    const polled = poll(clock, { everyMs: 500, limitMs: 700 }, saying(null, null, null));
    expect(await clock.until(polled)).toBeNull();
    expect(clock.monotonic() - begun).toBe(700);
  });

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    const polled = poll(new VirtualClock(), { everyMs: 500, signal: stop.signal }, saying(null));
    await expect(polled).rejects.toThrow('stopped');
  });
});

describe('retry', () => {
  const passing = {
    tries: 3,
    pauseMs: (error: unknown, tried: number) => (`${error}`.includes('passing') ? 100 * tried : null),
  };

  it('acts again after what passes, with the pause of each try', async () => {
    const clock = new VirtualClock();
    const begun = clock.monotonic();
    const act = saying(new Error('passing'), new Error('passing'), 'done');
    expect(await clock.until(retry(clock, passing, act))).toBe('done');
    expect(clock.monotonic() - begun).toBe(300);
  });

  it('throws the last error after its tries, and one that lasts at once', async () => {
    const clock = new VirtualClock();
    const act = saying(new Error('passing 1'), new Error('passing 2'), new Error('passing 3'));
    await expect(clock.until(retry(clock, passing, act))).rejects.toThrow('passing 3');
    await expect(retry(clock, passing, saying(new Error('lasting')))).rejects.toThrow('lasting');
  });
});
