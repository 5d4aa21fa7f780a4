import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { run, start, stopMachines, until } from './machines.js';

afterEach(stopMachines);

const unit = (name: string, script: string) =>
  `systemd-run --unit=${name} --remain-after-exit sh -c '${script}'`;
const state = async (machine: ReturnType<typeof start>['machine'], name: string) =>
  (await run(machine, `systemctl show -p SubState ${name}`)).out.trim();

it('a VM that halted or was paused runs for PVE; nothing in it moves until it is resumed', async () => {
  const { machine } = start();
  await run(machine, unit('clock', 'while :; do echo tick >>/root/ticks; sleep 0.02; done'));
  const ticks = () => statSync(join(machine.root, 'root/ticks'), { throwIfNoEntry: false })?.size ?? 0;
  await until(() => ticks() > 0);
  machine.halt('io-error');
  expect({ power: machine.power, qmpstatus: machine.qmpstatus }).toEqual({
    power: 'running',
    qmpstatus: 'io-error',
  });
  expect(await machine.ping()).toBe(false);
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(ticks()).toBe(before);
  machine.resume();
  expect(machine.qmpstatus).toBe('running');
  await until(() => ticks() > before);
  expect(await state(machine, 'clock')).toBe('SubState=running');
});

it('a VM that is stopped takes along what runs in it', async () => {
  const { machine, kinds } = start();
  await run(machine, unit('long', 'sleep 60'));
  machine.powerOff();
  expect([machine.power, machine.qmpstatus]).toEqual(['stopped', 'stopped']);
  machine.reset();
  await until(() => machine.phase === 'up');
  expect(await state(machine, 'long')).toBe('SubState=dead');
  expect(kinds()).toContain('reset');
});

it('systemd that re-executes for some seconds answers nothing meanwhile, and starts nothing', async () => {
  const { machine, kinds } = start(
    {
      changes: [{ name: 'systemd', from: '257.9-1~deb13u1', to: '257.10-1~deb13u1' }],
      upgrade: { seconds: 4, systemdSilentSeconds: 60 },
    },
    { factor: 60 },
  );
  const upgrade = run(machine, 'apt-get -y dist-upgrade');
  await until(() => kinds().includes('systemd-reexecuting'));
  for (let look = 0; look < 3; look += 1) {
    const asked = await run(machine, 'systemctl show -p SubState x');
    expect({ code: asked.code, err: asked.err }).toEqual({
      code: 1,
      err: 'Failed to get properties: Transport endpoint is not connected\n',
    });
  }
  expect((await run(machine, unit('late', 'true'))).code).toBe(1);
  expect((await upgrade).code).toBe(0);
  expect(await state(machine, 'x')).toBe('SubState=dead');
});

it('systemd may have a unit only seconds after it was asked for it', async () => {
  const { machine, kinds } = start({ upgrade: { startsAfterSeconds: 30 } }, { factor: 60 });
  const asked = run(machine, unit('slow', 'true'));
  await until(() => kinds().includes('unit-requested'));
  expect(await state(machine, 'slow')).toBe('SubState=dead');
  expect((await asked).code).toBe(0);
  expect(await state(machine, 'slow')).toMatch(/^SubState=(?:running|exited)$/);
});
