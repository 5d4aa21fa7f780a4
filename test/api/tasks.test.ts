import { expect, it } from 'vitest';
import { eachLine, endedWell, waitForTask } from '../../src/api/tasks.js';
import { realClock } from '../../src/world.js';

const running = { running: true, exitStatus: null };

/** A clock whose sleeps take no time, and which adds them up. */
function quickClock() {
  let now = 0;
  return {
    ...realClock,
    monotonic: () => now,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      now += ms;
    },
  };
}

it('asks until the task has ended, and says how', async () => {
  const states = [running, running, { running: false, exitStatus: 'WARNINGS: 2' }];
  const ended = await waitForTask(
    quickClock(),
    { everyMs: 1000, limitMs: 60_000 },
    async () => states.shift() ?? running,
  );
  expect(ended).toEqual({ running: false, exitStatus: 'WARNINGS: 2' });
  expect(states).toEqual([]);
});

it('says null when the limit is over, after a last look', async () => {
  const clock = quickClock();
  let asked = 0;
  const ended = await waitForTask(clock, { everyMs: 1000, limitMs: 2500 }, async () => {
    asked += 1;
    return running;
  });
  expect(ended).toBeNull();
  expect([asked, clock.monotonic()]).toEqual([4, 2500]);
});

it('ends with the reason of its signal, and with what the question throws', async () => {
  const signal = AbortSignal.abort(new Error('stopped by a person'));
  const polling = { everyMs: 1000, limitMs: 2500 };
  await expect(waitForTask(quickClock(), { ...polling, signal }, async () => running)).rejects.toThrow(
    'stopped by a person',
  );
  await expect(
    waitForTask(quickClock(), polling, () => Promise.reject(new Error('forbidden'))),
  ).rejects.toThrow('forbidden');
});

it.each`
  exitStatus          | well
  ${'OK'}             | ${true}
  ${'WARNINGS: 3'}    | ${true}
  ${'unknown'}        | ${false}
  ${'command failed'} | ${false}
  ${null}             | ${false}
`('a task that ended with $exitStatus has done its work: $well', ({ exitStatus, well }) => {
  expect(endedWell({ running: false, exitStatus })).toBe(well);
});

it('the log of a task that is written faster than it is read ends after five minutes', async () => {
  const clock = quickClock();
  const page = async (start: number, limit: number) => {
    await clock.sleep(20_000);
    return Array.from({ length: limit }, (_, index) => ({ n: start + index, t: 'line' }));
  };
  await expect(eachLine(clock, page, () => {})).rejects.toMatchObject({
    code: 'task.log-endless',
    exitCode: 75,
  });
  expect(clock.monotonic()).toBe(320_000);
});
