import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimHost, workingOn } from '../../src/journal/claim.js';
import type { Processes } from '../../src/journal/processes.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-claim-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const BUSY = expect.objectContaining({ code: 'state.busy', exitCode: 75 });

/** Processes of a machine, of which one looks; `whileLooking` happens in the middle of its look at another. */
class Machine {
  readonly alive = new Map<number, string>();
  as(pid: number, whileLooking: () => void = () => {}): Processes {
    return {
      self: { pid, birth: this.alive.get(pid) ?? '' },
      lives: (other) => {
        whileLooking();
        return this.alive.get(other.pid) === other.birth;
      },
      pause: () => {},
    };
  }
}
const claimed = (act: () => unknown): boolean => {
  try {
    act();
    return true;
  } catch (error) {
    expect(error).toEqual(BUSY);
    return false;
  }
};

describe('the claim on a host', () => {
  it('is refused while another process that lives has it, and to be had again afterwards', () => {
    const machine = new Machine();
    machine.alive.set(10, 'a').set(11, 'b');
    const giveUp = claimHost(stateDir, 'pbs01', machine.as(10));
    expect(() => claimHost(stateDir, 'pbs01', machine.as(11))).toThrowError(BUSY);
    claimHost(stateDir, 'pbs02', machine.as(11))();
    giveUp();
    claimHost(stateDir, 'pbs01', machine.as(11))();
  });

  it('is refused to the very process that has it', () => {
    const giveUp = claimHost(stateDir, 'pbs01');
    expect(() => claimHost(stateDir, 'pbs01')).toThrowError(BUSY);
    giveUp();
    claimHost(stateDir, 'pbs01')();
  });

  it('of a process that has died is taken over', () => {
    const machine = new Machine();
    machine.alive.set(10, 'a');
    claimHost(stateDir, 'pbs01', machine.as(10));
    machine.alive.delete(10);
    machine.alive.set(11, 'b');
    claimHost(stateDir, 'pbs01', machine.as(11))();
  });

  it('of a killed container is taken over by the next one, whose process has the same number', () => {
    const machine = new Machine();
    machine.alive.set(1, 'start1');
    claimHost(stateDir, 'pbs01', machine.as(1));
    machine.alive.set(1, 'start2');
    claimHost(stateDir, 'pbs01', machine.as(1))();
  });

  it('is not held by a stranger that was given the number of a dead process', () => {
    const machine = new Machine();
    machine.alive.set(10, 'a').set(11, 'b');
    claimHost(stateDir, 'pbs01', machine.as(10));
    machine.alive.set(10, 'other');
    claimHost(stateDir, 'pbs01', machine.as(11))();
  });

  it('that a version before this one left is respected while its process lives, and not beyond', () => {
    mkdirSync(join(stateDir, 'hosts'));
    writeFileSync(join(stateDir, 'hosts', 'pbs01.pid'), `${process.ppid}\n`);
    expect(() => claimHost(stateDir, 'pbs01')).toThrowError(BUSY);
    expect(workingOn(stateDir, 'pbs01')).toBe(process.ppid);
    for (const gone of ['4194999\n', `${process.pid}\n`]) {
      writeFileSync(join(stateDir, 'hosts', 'pbs01.pid'), gone);
      claimHost(stateDir, 'pbs01')();
    }
  });

  it('in a state directory that cannot be written is an error for people', () => {
    writeFileSync(join(stateDir, 'hosts'), 'a file where a folder should be');
    expect(() => claimHost(stateDir, 'pbs01')).toThrowError(
      expect.objectContaining({ code: 'state.unwritable' }),
    );
  });

  it('of a dead process goes to one of two that want it at the same moment, never to both', () => {
    const machine = new Machine();
    machine.alive.set(10, 'a');
    claimHost(stateDir, 'pbs01', machine.as(10));
    machine.alive.delete(10);
    machine.alive.set(11, 'b').set(12, 'c');
    let second: boolean | null = null;
    const first = claimed(() =>
      claimHost(
        stateDir,
        'pbs01',
        machine.as(11, () => {
          second ??= claimed(() => claimHost(stateDir, 'pbs01', machine.as(12)));
        }),
      ),
    );
    expect([first, second].filter(Boolean)).toHaveLength(1);
  });

  it('has at most one owner, whoever comes, goes and dies, and leaves nothing behind', () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('claim', 'give up', 'die'), fc.integer({ min: 1, max: 4 })),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(steps, (drawn) => {
        const dir = mkdtempSync(join(stateDir, 'run-'));
        const machine = new Machine();
        let births = 0;
        let owner: { pid: number; giveUp: () => void } | null = null;
        for (const [what, pid] of drawn) {
          births += 1;
          if (!machine.alive.has(pid)) machine.alive.set(pid, `birth${births}`);
          if (what === 'claim') {
            let giveUp = () => {};
            const got = claimed(() => {
              giveUp = claimHost(dir, 'pbs01', machine.as(pid));
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
        claimHost(dir, 'pbs01', machine.as(99))();
        expect(readdirSync(join(dir, 'hosts', 'pbs01'))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
