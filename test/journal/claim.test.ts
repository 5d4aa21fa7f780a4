import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimHost, workingOn } from '../../src/journal/claim.js';
import { realWorld } from '../../src/world.js';
import { noSignals } from '../support/in-process.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-claim-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const BUSY = expect.objectContaining({ code: 'state.busy', exitCode: 75 });

/** Processes of a machine, of which one looks; `whileLooking` happens in the middle of its look at another. */
class Machine {
  readonly alive = new Map<number, string>();
  as(pid: number, whileLooking: () => void = () => {}) {
    return {
      pid,
      birthOf: (other: number) => {
        if (other !== pid) whileLooking();
        return this.alive.get(other) ?? null;
      },
      random: () => 0,
      clock: { sleep: async () => {} },
    };
  }
}
const self = realWorld(noSignals());
const claimed = async (act: () => Promise<unknown>): Promise<boolean> => {
  try {
    await act();
    return true;
  } catch (error) {
    expect(error).toEqual(BUSY);
    return false;
  }
};

describe('the claim on a host', () => {
  it('is refused while another process that lives has it, and to be had again afterwards', async () => {
    const machine = new Machine();
    machine.alive.set(10, 'a').set(11, 'b');
    const giveUp = await claimHost(stateDir, 'pbs01', machine.as(10));
    await expect(claimHost(stateDir, 'pbs01', machine.as(11))).rejects.toEqual(BUSY);
    (await claimHost(stateDir, 'pbs02', machine.as(11)))();
    giveUp();
    (await claimHost(stateDir, 'pbs01', machine.as(11)))();
  });

  it('is refused to the very process that has it', async () => {
    const giveUp = await claimHost(stateDir, 'pbs01', self);
    await expect(claimHost(stateDir, 'pbs01', self)).rejects.toEqual(BUSY);
    giveUp();
    (await claimHost(stateDir, 'pbs01', self))();
  });

  it('of a process that has died is taken over', async () => {
    const machine = new Machine();
    machine.alive.set(10, 'a');
    await claimHost(stateDir, 'pbs01', machine.as(10));
    machine.alive.delete(10);
    machine.alive.set(11, 'b');
    (await claimHost(stateDir, 'pbs01', machine.as(11)))();
  });

  it('of a killed container is taken over by the next one, whose process has the same number', async () => {
    const machine = new Machine();
    machine.alive.set(1, 'start1');
    await claimHost(stateDir, 'pbs01', machine.as(1));
    machine.alive.set(1, 'start2');
    (await claimHost(stateDir, 'pbs01', machine.as(1)))();
  });

  it('is not held by a stranger that was given the number of a dead process', async () => {
    const machine = new Machine();
    machine.alive.set(10, 'a').set(11, 'b');
    await claimHost(stateDir, 'pbs01', machine.as(10));
    machine.alive.set(10, 'other');
    (await claimHost(stateDir, 'pbs01', machine.as(11)))();
  });

  it('that a version before this one left is respected while its process lives, and not beyond', async () => {
    mkdirSync(join(stateDir, 'hosts'));
    writeFileSync(join(stateDir, 'hosts', 'pbs01.pid'), `${process.ppid}\n`);
    await expect(claimHost(stateDir, 'pbs01', self)).rejects.toEqual(BUSY);
    expect(workingOn(stateDir, 'pbs01', self)).toBe(process.ppid);
    for (const gone of ['4194999\n', `${process.pid}\n`]) {
      writeFileSync(join(stateDir, 'hosts', 'pbs01.pid'), gone);
      (await claimHost(stateDir, 'pbs01', self))();
    }
  });

  it('in a state directory that cannot be written is an error for people', async () => {
    writeFileSync(join(stateDir, 'hosts'), 'a file where a folder should be');
    await expect(claimHost(stateDir, 'pbs01', self)).rejects.toEqual(
      expect.objectContaining({ code: 'state.unwritable' }),
    );
  });

  it('of a dead process goes to one of two that want it at the same moment, never to both', async () => {
    const machine = new Machine();
    machine.alive.set(10, 'a');
    await claimHost(stateDir, 'pbs01', machine.as(10));
    machine.alive.delete(10);
    machine.alive.set(11, 'b').set(12, 'c');
    let second: Promise<boolean> | null = null;
    const first = await claimed(() =>
      claimHost(
        stateDir,
        'pbs01',
        machine.as(11, () => {
          second ??= claimed(() => claimHost(stateDir, 'pbs01', machine.as(12)));
        }),
      ),
    );
    expect([first, await second].filter(Boolean)).toHaveLength(1);
  });

  it('has at most one owner, whoever comes, goes and dies, and leaves nothing behind', async () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('claim', 'give up', 'die'), fc.integer({ min: 1, max: 4 })),
      {
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (drawn) => {
        const dir = mkdtempSync(join(stateDir, 'run-'));
        const machine = new Machine();
        let births = 0;
        let owner: { pid: number; giveUp: () => void } | null = null;
        for (const [what, pid] of drawn) {
          births += 1;
          if (!machine.alive.has(pid)) machine.alive.set(pid, `birth${births}`);
          if (what === 'claim') {
            let giveUp = () => {};
            const got = await claimed(async () => {
              giveUp = await claimHost(dir, 'pbs01', machine.as(pid));
            });
            expect(got).toBe(owner === null);
            if (got) owner = { pid, giveUp };
          } else if (owner?.pid === pid) {
            if (what === 'give up') owner.giveUp();
            else machine.alive.delete(pid);
            owner = null;
          }
        }
        owner?.giveUp();
        (await claimHost(dir, 'pbs01', machine.as(99)))();
        expect(readdirSync(join(dir, 'hosts', 'pbs01'))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
