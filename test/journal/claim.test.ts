import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimHost, type HostClaim, workingOn } from '../../src/journal/claim.js';
import { realWorld } from '../../src/world.js';
import { noSignals } from '../support/in-process.js';

let stateDir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-claim-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(stateDir, { recursive: true, force: true });
});

const BUSY = expect.objectContaining({ code: 'state.busy', exitCode: 75 });
const self = realWorld(noSignals());
const HERE = { hostname: 'here', machine: 'm1', boot: 'b1' };
/** A process that has the number 7, as each does in its container. */
const at = (boot: Partial<ReturnType<typeof self.thisBoot>> = {}) => ({
  pid: 7,
  thisBoot: () => ({ ...HERE, ...boot }),
  randomWord: self.randomWord,
  clock: { sleep: (ms: number) => self.clock.sleep(ms / 10) },
});
const claim = (machine = at(), dir = stateDir) => claimHost(dir, 'pbs01', machine);
const folderOf = (dir = stateDir) => join(dir, 'hosts', 'pbs01');

/** Leaves what a process leaves that is killed: its files, and a socket on which no one listens. */
function die(held: HostClaim, dir = stateDir): void {
  const folder = folderOf(dir);
  const files = readdirSync(folder)
    .filter((name) => !name.endsWith('.sock'))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }));
  const sockets = readdirSync(folder).filter((name) => name.endsWith('.sock'));
  for (const name of sockets) renameSync(join(folder, name), join(dir, name));
  held.release();
  for (const { path, text } of files) writeFileSync(path, text);
  for (const name of sockets) renameSync(join(dir, name), join(folder, name));
}
const rewrite = (change: (text: string) => string) => {
  const name = readdirSync(folderOf()).find((each) => !each.includes('.')) ?? '';
  const path = join(folderOf(), name);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
};

describe('the claim on a host', () => {
  it('is refused while another process that lives has it, and to be had again afterwards', async () => {
    const held = await claim();
    await expect(claim()).rejects.toEqual(BUSY);
    (await claimHost(stateDir, 'pbs02', at())).release();
    held.release();
    (await claim()).release();
    expect(readdirSync(folderOf())).toEqual([]);
  });

  it('of a process that has died is taken over', async () => {
    die(await claim());
    const held = await claim();
    expect(held.unknown).toBeNull();
    held.release();
    expect(readdirSync(folderOf())).toEqual([]);
  });

  it('that was written before the last boot of this machine is taken over, though nothing can be asked', async () => {
    const old = await claim(at({ boot: 'b0' }));
    const held = await claim();
    expect(held.unknown).toBeNull();
    held.release();
    old.release();
  });

  it.each`
    what                                                             | machine
    ${'of another machine'}                                          | ${{ hostname: 'there', machine: 'm2', boot: 'b2' }}
    ${'of another container of an image that brings its machine id'} | ${{ hostname: 'there', boot: 'b2' }}
    ${'of a container without a machine id, of another boot'}        | ${{ machine: null, boot: 'b2' }}
    ${'of a machine that does not tell its boot'}                    | ${{ boot: null }}
  `(
    '$what may be of a living process, and is left until that can hold the host no longer',
    async ({ machine }) => {
      const other = await claim(at(machine));
      const held = await claim();
      expect(held.unknown).toBe(`process 7 of ${machine.hostname ?? 'here'}`);
      expect(readdirSync(folderOf())).toHaveLength(6);
      held.forgetUnknown();
      held.release();
      expect((await claim()).unknown).toBeNull();
      other.release();
    },
  );

  it('says nothing of its process where it cannot carry a socket, or has lost it, or is of an older version', async () => {
    const other = await claim();
    rewrite((text) => text.replace('"listens":true', '"listens":false'));
    const second = await claim();
    expect(second.unknown).toBe('process 7 of here');
    second.release();
    rewrite((text) => text.replace('"listens":false', '"listens":true'));
    await expect(claim()).rejects.toEqual(BUSY);
    for (const name of readdirSync(folderOf())) if (name.endsWith('.sock')) rmSync(join(folderOf(), name));
    expect((await claim()).unknown).toBe('process 7 of here');
    other.release();
    rmSync(folderOf(), { recursive: true });
    mkdirSync(folderOf());
    writeFileSync(join(folderOf(), '4711'), '4711 123456@b1\n');
    expect((await claim()).unknown).toBe('a process of an earlier version of pbs-ctl');
  });

  it('is told in a folder that is deeper than the path of a socket may be', async () => {
    const deep = join(stateDir, ...Array.from({ length: 12 }, () => 'a-folder-far-down'));
    const held = await claim(at(), deep);
    await expect(claim(at(), deep)).rejects.toEqual(BUSY);
    die(held, deep);
    const next = await claim(at(), deep);
    expect(next.unknown).toBeNull();
    next.release();
    expect(readdirSync(folderOf(deep))).toEqual([]);
  });

  it('in a state directory that cannot be written is an error for people', async () => {
    writeFileSync(join(stateDir, 'hosts'), 'a file where a folder should be');
    await expect(claim()).rejects.toEqual(expect.objectContaining({ code: 'state.unwritable' }));
  });

  it('of a dead process goes to one of those that want it at the same moment, and to no other', async () => {
    for (let round = 0; round < 15; round += 1) {
      die(await claim());
      const wanted = await Promise.allSettled(Array.from({ length: 5 }, () => claim()));
      const won = wanted.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(won).toHaveLength(1);
      won[0]?.release();
      expect(readdirSync(folderOf())).toEqual([]);
    }
  });

  it('has at most one owner, whoever comes, goes and dies, and leaves nothing behind', async () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('claim', 'give up', 'die'), fc.integer({ min: 1, max: 4 })),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (drawn) => {
        const dir = mkdtempSync(join(stateDir, 'run-'));
        let owner: { who: number; held: HostClaim } | null = null;
        for (const [what, who] of drawn) {
          if (what === 'claim') {
            const held = await claim(at(), dir).catch((error: unknown) => {
              expect(error).toEqual(BUSY);
              return null;
            });
            expect(held !== null).toBe(owner === null);
            if (held) owner = { who, held };
          } else if (owner?.who === who) {
            if (what === 'give up') owner.held.release();
            else die(owner.held, dir);
            owner = null;
          }
        }
        owner?.held.release();
        (await claim(at(), dir)).release();
        expect(readdirSync(folderOf(dir))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

const CHILD = `
  const { claimHost } = await import(process.argv[1]);
  const { realWorld } = await import(process.argv[2]);
  await claimHost(process.argv[3], 'pbs01', realWorld()).then(
    () => console.log('claimed ' + process.pid), (error) => console.log(error.code + ' ' + process.pid));
  setInterval(() => {}, 1000);
`;
/** A process of its own that claims the host and stays. @returns what it says */
async function other(wrapper: readonly string[] = []): Promise<{ said: string; child: ChildProcess }> {
  const modules = ['journal/claim.js', 'world.js'].map(
    (path) => new URL(`../../dist/${path}`, import.meta.url),
  );
  const command = [process.execPath, '--input-type=module', '-e', CHILD, ...modules.map(String), stateDir];
  const [file = '', ...args] = [...wrapper, ...command];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const said = await new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => resolve(chunk.toString('utf8').trim()));
  });
  return { said, child };
}
const ended = (child: ChildProcess) =>
  new Promise((resolve) => {
    child.once('exit', resolve);
  });

describe('a process of its own that has the host', () => {
  it('lives while it is stopped by SIGSTOP, and is dead once it was killed', async () => {
    const { said, child } = await other();
    expect(said).toBe(`claimed ${child.pid}`);
    expect(await workingOn(stateDir, 'pbs01', self)).toBe(child.pid);
    child.kill('SIGSTOP');
    await expect(claimHost(stateDir, 'pbs01', self)).rejects.toEqual(BUSY);
    child.kill('SIGKILL');
    await ended(child);
    expect(await workingOn(stateDir, 'pbs01', self)).toBeNull();
    (await claimHost(stateDir, 'pbs01', self)).release();
  });

  const container = ['unshare', '-p', '-f', '--kill-child', '--mount-proc'];
  const may = spawnSync('unshare', [...container.slice(1), 'true']).status === 0;
  if (!may) console.warn('skipped: no process namespace can be made here (unshare -p -f --mount-proc)');
  it.skipIf(!may)(
    'is told from one that has died across containers, where both have the number 1',
    async () => {
      const first = await other(container);
      expect(first.said).toBe('claimed 1');
      const second = await other(container);
      expect(second.said).toBe('state.busy 1');
      first.child.kill('SIGKILL');
      await ended(first.child);
      // What it wraps is killed a moment later.
      while ((await workingOn(stateDir, 'pbs01', self)) !== null) await self.clock.sleep(20);
      const third = await other(container);
      expect(third.said).toBe('claimed 1');
    },
  );
});
