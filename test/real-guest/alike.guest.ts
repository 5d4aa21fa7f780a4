import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GuestMachine } from '../../src/lab/guest-machine.js';
import { AgentError } from '../../src/lab/machine/agent.js';
import { Machine } from '../../src/lab/machine/machine.js';
import { LabRecord } from '../../src/lab/record.js';
import { LabTime } from '../../src/lab/time.js';
import { type GuestLab, startGuestLab } from './lab.js';

const UNIT = 'systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus';
const run = (name: string, script: string, more = '') =>
  `systemd-run --unit=${name} ${more} --remain-after-exit /bin/sh -c '${script}'`;

/** Shell lines whose result has to be the same in the stand-in as in a real guest, to the letter. */
const ALIKE = [
  'exit 7',
  'kill -9 $$',
  'echo out; echo err >&2',
  'true',
  'echo "$HOME|$LC_ALL|$DEBIAN_FRONTEND"',
  'pwd',
  'id -u',
  `${UNIT} nonesuch`,
  'systemctl is-active nonesuch',
  'systemctl is-system-running',
  'systemctl list-units --failed --plain --no-legend',
  "systemctl list-units --all --plain --no-legend 'pbs-ctl-*'",
  'systemctl stop nonesuch',
  'systemctl reset-failed nonesuch',
  `${run('alike-a', 'exit 0')}; sleep 1; ${UNIT} alike-a`,
  `${run('alike-b', 'exit 100')}; sleep 1; ${UNIT} alike-b`,
  `${run('alike-c', 'kill -15 $$$$')}; sleep 1; ${UNIT} alike-c`,
  `${run('alike-g', 'kill -9 $$$$')}; sleep 1; ${UNIT} alike-g`,
  `${run('alike-h', 'sleep 60', '-p RuntimeMaxSec=1')}; sleep 4; ${UNIT} alike-h`,
  `${run('alike-d', 'sleep 60')}; sleep 1; ${UNIT} alike-d`,
  run('alike-a', 'true'),
  run('alike-d', 'true'),
  `systemctl stop alike-a alike-d; systemctl reset-failed alike-b; ${UNIT} alike-a; ${UNIT} alike-b`,
  'systemd-run --unit=alike-e /no/such',
  `${run('alike-f', 'echo $HOME. $$HOME.', '-p StandardOutput=file:/run/alike-f -E HOME=/root')}; sleep 1; cat /run/alike-f`,
  'dpkg --audit',
  'apt-mark showhold >/dev/null',
  'apt-get -s autoremove | grep -c ^Remv',
  'apt-get dist-upgrade </dev/null | tail -n 1',
  'apt-get nonesuch',
  'apt-get --no-such-option',
  'findmnt -rn -o TARGET,SOURCE,FSTYPE /no/such',
  'findmnt -rn -o FSTYPE /',
  'mountpoint /mnt/datastore/tank; mountpoint /etc',
  'df -B1 --output=avail /no/such',
  'df -B1 --output=avail / | head -n 1 | tr -d " "',
  'test -e /run/reboot-required',
  'cat /no/such',
  'tail -n 1 /no/such 2>/dev/null',
];

interface Seen {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

async function look(machine: GuestMachine, command: readonly string[]): Promise<Seen> {
  try {
    const pid = await machine.exec(command);
    for (;;) {
      const state = await machine.execStatus(pid);
      if (state.exited)
        return {
          code: state.exitcode ?? `signal ${state.signal}`,
          out: state.out?.toString() ?? '',
          err: state.err?.toString() ?? '',
        };
      await sleep(20);
    }
  } catch (error) {
    if (error instanceof AgentError) return { code: error.desc, out: '', err: '' };
    throw error;
  }
}

describe("the lab's stand-in is as a real guest", () => {
  let running: GuestLab;
  let standIn: Machine;
  const dir = mkdtempSync(join(tmpdir(), 'pbs-ctl-alike-'));
  const time = new LabTime(20);

  beforeAll(async () => {
    running = await startGuestLab();
    const spec = { release: '3.4', held: ['openssl'] } as const;
    standIn = new Machine({ name: 'pbs01', vmid: 900, time, record: new LabRecord(), dir, spec });
  });
  afterAll(async () => {
    standIn?.stop();
    time.stop();
    await running?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each(ALIKE)('in %s', async (script) => {
    const command = ['/bin/sh', '-c', script];
    const [real, simulated] = [await look(running.guest, command), await look(standIn, command)];
    expect(simulated).toEqual(real);
  });

  it.each([
    [['/no/such']],
    [['/etc']],
    [['/etc/fstab']],
    [['nonesuch']],
  ])('in what the agent says of %s', async (command) => {
    expect(await look(standIn, command)).toEqual(await look(running.guest, command));
  });

  it.each(['info', 'osinfo', 'fsinfo'] as const)('in the shape of %s', async (question) => {
    const shape = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.slice(0, 1).map(shape)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .sort()
                .map(([key, each]) => [key, shape(each)]),
            )
          : typeof value;
    expect(shape(await standIn[question]())).toEqual(shape(await running.guest[question]()));
  });

  it('in what it says of a file', async () => {
    for (const path of ['/no/such', '/etc']) {
      const words = async (machine: GuestMachine) =>
        Promise.resolve()
          .then(() => machine.readFile(path))
          .then(String, (error: Error) => error.message);
      expect(await words(standIn)).toBe(await words(running.guest));
    }
  });
});
