import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { Controller, patchArgs } from '../controller.js';
import { hurry } from '../crash.js';

const SECONDS = 30;
/** Until nothing is compiled any more, and what was learned before has been put away. Milliseconds. */
const SETTLING_MS = 8000;
/** Of /proc: hundredths of a second. */
const TICK_MS = 10;

export const idle = {
  name: 'idle: waiting for a reboot, and for a time at which it is safe',
  target: 'below 1 % of a core',
  how: `CPU time of the process (user and system, /proc) over ${SECONDS} s, at pollInterval 2 s, ${SETTLING_MS / 1000} s after it has begun to wait: for a host that has gone down and does not come back, and with --wait for a backup job that is due to be over.`,
  async measure() {
    const reboot = await whileWaiting(
      'never-comes-back',
      [],
      ({ method, path }) => method === 'POST' && path === '/nodes/localhost/status',
    );
    const slot = await whileWaiting('backup-due-soon', ['--wait', '1h'], ({ path }) =>
      path.startsWith('/nodes/localhost'),
    );
    return { rebootPercent: reboot, windowPercent: slot, met: reboot < 1 && slot < 1 };
  },
};

async function whileWaiting(
  scenario: string,
  options: string[],
  begins: (request: Lab['record']['requests'][number]) => boolean,
): Promise<number> {
  const lab = await startLab({ factor: 100, scenario });
  try {
    hurry(lab.configPath, { pollInterval: '2s', rebootTimeout: '20m' });
    const controller = new Controller(patchArgs(lab.configPath, ...options));
    let over = false;
    void controller.ended.then(() => {
      over = true;
    });
    while (!lab.record.requests.some(begins)) {
      if (over) throw new Error(`patch ended by itself: ${(await controller.ended).stderr}`);
      await delay(100);
    }
    await delay(SETTLING_MS);
    const before = cpuMs(controller.pid);
    await delay(SECONDS * 1000);
    const spent = cpuMs(controller.pid) - before;
    controller.kill('SIGKILL');
    await controller.ended;
    return (spent / (SECONDS * 1000)) * 100;
  } finally {
    await lab.stop();
  }
}

/** User and system time of a process so far. */
function cpuMs(pid: number): number {
  // The name of the program, in brackets, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
