import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.js';
import { type Disk, realDisk } from '../../src/journal/line-file.js';
import { runsOf } from '../../src/journal/runs.js';

/** A disk that fills up: as the kernel does it, what fits is written, and only a write of which nothing fits fails. */
class FillingDisk implements Disk {
  left = Number.POSITIVE_INFINITY;
  mayCut = true;

  writeSync = (file: number, bytes: Uint8Array): number => {
    const fits = Math.min(bytes.length, this.left);
    if (fits === 0) throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
    this.left -= fits;
    return realDisk.writeSync(file, bytes.subarray(0, fits));
  };
  fsyncSync = realDisk.fsyncSync;
  ftruncateSync = (file: number, length: number): void => {
    if (!this.mayCut) throw Object.assign(new Error('i/o error, ftruncate'), { code: 'EIO' });
    realDisk.ftruncateSync(file, length);
  };
}

let disk: FillingDisk;
let stateDir: string;
beforeEach(() => {
  disk = new FillingDisk();
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-full-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const clock = {
  now: () => 1_764_000_000_000,
  timeout: AbortSignal.timeout,
  monotonic: () => 0,
  sleep: async () => {},
};
const STARTED = { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false } as const;
const begin = () => Journal.begin(stateDir, 'aaaaaa', clock, STARTED, disk);
const LOCKED = { type: 'locked', cluster: 'main', expiresAt: 1 } as const;
const UNWRITABLE = expect.objectContaining({ code: 'state.unwritable' });

describe('a journal on a disk that is full', () => {
  it.each([0, 1, 40])('with room for %i bytes says so, and does not count what is not on disk', (room) => {
    const journal = begin();
    disk.left = room;
    expect(() => journal.append(LOCKED)).toThrowError(UNWRITABLE);
    expect(journal.state.locks).toEqual([]);
    journal.close();
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([{ locks: [] }]);
  });

  it('is whole when there is room again: no half line is left in its middle', () => {
    const journal = begin();
    disk.left = 40;
    expect(() => journal.append(LOCKED)).toThrowError(UNWRITABLE);
    disk.left = Number.POSITIVE_INFINITY;
    journal.append({ type: 'fenced', datastore: 'tank' });
    journal.close();
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([{ locks: [], fenced: ['tank'] }]);
  });

  it('takes nothing more where the half line cannot even be cut off, and stays readable', () => {
    const journal = begin();
    Object.assign(disk, { left: 40, mayCut: false });
    expect(() => journal.append(LOCKED)).toThrowError(UNWRITABLE);
    disk.left = Number.POSITIVE_INFINITY;
    expect(() => journal.append(LOCKED)).toThrowError(UNWRITABLE);
    journal.close();
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([{ locks: [] }]);
  });

  it('that has no room for a first line is an error before the run has begun', () => {
    disk.left = 10;
    expect(begin).toThrowError(UNWRITABLE);
    expect(runsOf(stateDir, 'pbs01')).toEqual([]);
  });

  it('keeps what is undone in memory when told to go on, and writes nothing behind the gap', () => {
    const journal = begin();
    journal.append({ type: 'fenced', datastore: 'tank' });
    journal.goOnWithoutDisk();
    disk.left = 40;
    journal.append({ type: 'unfenced', datastore: 'tank' });
    disk.left = Number.POSITIVE_INFINITY;
    journal.append({ type: 'ended', outcome: 'postponed', retryAfter: null, error: null, open: false });
    expect({ fenced: journal.state.fenced, lost: journal.lost?.code }).toEqual({
      fenced: [],
      lost: 'state.unwritable',
    });
    journal.close();
    // The next run has to go on with this one and see for itself.
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([{ fenced: ['tank'], ended: null }]);
  });
});
