import { expect, it } from 'vitest';
import type { TaskState } from '../../src/api/tasks.js';
import type { Host } from '../../src/host/open.js';
import { act } from '../../src/recover/act.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { WELL } from './observed.js';

const SILENT_AGENT = { ...WELL, agent: 'silent', inside: null, servicesDown: ['chrony'] } as const;

/** Has PBS start a service whose task is told of as given. */
async function start(state: TaskState): Promise<string> {
  const clock = new VirtualClock();
  const pbs = { startService: async () => 'UPID:pbs01:1', taskState: async () => state };
  const host = { pbs, target: { policy: { pollInterval: 5000 } } } as unknown as Host;
  const started = act('restart-services', {
    host,
    observed: SILENT_AGENT,
    stateDir: '',
    clock,
    randomWord: () => 'k3f9x2',
    say: () => {},
  });
  return clock.until(started.catch((error: Error) => error.message));
}

it.each`
  state                                                                      | words                                              | because
  ${{ running: false, exitStatus: 'OK' }}                                    | ${'started chrony'}                                | ${'its task ended well'}
  ${{ running: false, exitStatus: 'systemctl start failed with exit code' }} | ${/^PBS could not start chrony: systemctl/}        | ${'its task failed'}
  ${{ running: true, exitStatus: null }}                                     | ${'The task of PBS to start chrony does not end.'} | ${'the wait has an end'}
`('a service that PBS starts: "$words", since $because', async ({ state, words }) => {
  expect(await start(state)).toMatch(words);
});
