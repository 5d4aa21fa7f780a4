import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Machine } from '../../../src/lab/machine/machine.js';
import type { MachineSpec } from '../../../src/lab/machine/spec.js';
import { LabRecord } from '../../../src/lab/record.js';
import { LabTime } from '../../../src/lab/time.js';

const machines: Array<{ machine: Machine; dir: string; time: LabTime }> = [];

/** A machine that lasts until `stopMachines`. */
export function start(spec: MachineSpec = {}, { factor = 60, name = 'pbs01' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'machine-'));
  const time = new LabTime(factor);
  const record = new LabRecord();
  const machine = new Machine({ name, vmid: 900, time, record, dir: join(dir, name), spec });
  machines.push({ machine, dir, time });
  return { machine, record, kinds: () => record.events.map(({ kind }) => kind) };
}

/** For `afterEach`. */
export function stopMachines(): void {
  for (const { machine, dir, time } of machines.splice(0)) {
    machine.stop();
    time.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

export async function until<T>(question: () => T | undefined | false, limitMs = 90_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = question();
    if (answer !== undefined && answer !== false) return answer as T;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${question}`);
    await delay(10);
  }
}

/** Runs a command through the agent, to its end. */
export async function run(machine: Machine, command: string | string[]) {
  const pid = machine.exec(typeof command === 'string' ? ['/bin/sh', '-c', command] : command);
  const end = await until(() => {
    const state = machine.execStatus(pid);
    return state.exited && state;
  });
  return {
    code: end.exitcode,
    signal: end.signal,
    out: String(end.out ?? ''),
    err: String(end.err ?? ''),
    end,
  };
}

export const show = async (machine: Machine, unit: string) =>
  (
    await run(
      machine,
      `systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus ${unit}`,
    )
  ).out
    .trim()
    .split('\n');

export const unitEnds = (machine: Machine, unit: string, limitMs = 90_000) => {
  const deadline = Date.now() + limitMs;
  const look = async (): Promise<string[]> => {
    const lines = await show(machine, unit);
    if (!lines.includes('SubState=running')) return lines;
    if (Date.now() > deadline) throw new Error(`${unit} is still running`);
    await delay(30);
    return look();
  };
  return look();
};

/** The upgrade in a unit of its own, as pbs-ctl starts it. */
export const UPGRADE = [
  'mkdir -p /run/up && exec systemd-run --unit=up --remain-after-exit',
  '-p StandardOutput=file:/run/up/log -p StandardError=inherit -E DEBIAN_FRONTEND=noninteractive -E HOME=/root',
  '-E PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin -E LC_ALL=C.UTF-8',
  "/bin/sh -c 'apt-get -y -q -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold",
  "-o APT::Status-Fd=3 dist-upgrade 3>/run/up/status </dev/null'",
].join(' ');

/** What `systemctl show` says of a unit that it does not know. */
export const VANISHED = [
  'Result=success',
  'ExecMainCode=0',
  'ExecMainStatus=0',
  'LoadState=not-found',
  'ActiveState=inactive',
  'SubState=dead',
];
