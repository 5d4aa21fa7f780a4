import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimHost } from '../../src/journal/claim.js';
import { makeFolder, requireSafe } from '../../src/journal/folders.js';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'pbs-ctl-folders-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe('a folder', () => {
  it('is made with those above it, for its owner only, and found where it is there', () => {
    const folder = join(place, 'a/b/c');
    makeFolder(folder);
    makeFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('that cannot be made ends in an error, also below /proc, where nothing can', () => {
    expect(() => makeFolder('/proc/no-such/state')).toThrow(/ENOENT/);
    expect(() => makeFolder('/dev/null/state')).toThrow(/ENOTDIR/);
  });
});

describe('the state directory', () => {
  it.each([
    ['anyone may write it', () => chmodSync(place, 0o777), /anyone may write .* \(mode 777\)/, /chmod o-w /],
    ['anyone may write, as in /tmp', () => chmodSync(place, 0o1777), /mode 1777/, /chmod o-w /],
    [
      'its runs are elsewhere',
      () => {
        mkdirSync(join(place, 'other'));
        symlinkSync(join(place, 'other'), join(place, 'runs'));
      },
      /runs is a link to another place/,
      /ls -l /,
    ],
  ])('is not used where %s', async (_, spoil, words, fix) => {
    spoil();
    const machine = { randomWord: () => 'aaaaaaaa' } as never;
    await expect(claimHost(place, 'pbs01', machine)).rejects.toMatchObject({
      code: 'state.unsafe',
      exitCode: 2,
      message: expect.stringMatching(words),
      hint: expect.stringMatching(fix),
    });
  });

  it('is used where its group may write, and where it does not exist yet', () => {
    chmodSync(place, 0o770);
    expect(() => requireSafe(place)).not.toThrow();
    expect(() => requireSafe(join(place, 'later'))).not.toThrow();
  });

  it('below /proc is an error in words at once', async () => {
    await expect(claimHost('/proc/x', 'pbs01', { randomWord: () => 'a' } as never)).rejects.toMatchObject({
      code: 'state.unwritable',
      message: expect.stringContaining('it does not exist'),
    });
  });
});
