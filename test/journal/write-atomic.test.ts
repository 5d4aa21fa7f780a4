import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAtomic } from '../../src/journal/write-atomic.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-atomic-'));
  path = join(folder, 'pbs_ctl.prom');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a file that is written at once', () => {
  it('is never seen half written, nor under a name that ends like its own', async () => {
    const texts = ['a\n', 'b\n'].map((text) => text.repeat(200_000));
    writeAtomic(path, texts[0] ?? '', 0o600);
    // From another thread, since a write leaves this one no moment in which to look.
    const reader = new Worker(
      `const { readFileSync, readdirSync } = require('node:fs');
       const { workerData: [folder, path], parentPort } = require('node:worker_threads');
       const seen = new Set(), names = new Set();
       let over = false;
       parentPort.once('message', () => { over = true; });
       const look = () => {
         const text = readFileSync(path, 'utf8');
         seen.add(text.length + ' ' + [...new Set(text)].sort().join(''));
         for (const name of readdirSync(folder)) names.add(name);
         if (over) parentPort.postMessage({ seen: [...seen], names: [...names] });
         else setImmediate(look);
       };
       parentPort.postMessage('ready');
       look();`,
      { eval: true, workerData: [folder, path] },
    );
    await new Promise((ready) => reader.once('message', ready));
    for (let round = 0; round < 30; round += 1) {
      writeAtomic(path, texts[round % 2] ?? '', 0o600);
      await new Promise((next) => setImmediate(next));
    }
    const result = new Promise<{ seen: string[]; names: string[] }>((told) => reader.once('message', told));
    reader.postMessage('over');
    const { seen, names } = await result;
    await reader.terminate();
    for (const each of seen) expect(['400000 \na', '400000 \nb']).toContain(each);
    expect(names.filter((name) => name.endsWith('.prom') && name !== 'pbs_ctl.prom')).toEqual([]);
    expect(readdirSync(folder)).toEqual(['pbs_ctl.prom']);
  });

  it.each([0o600, 0o644])('has the mode %o, whatever the umask', (mode) => {
    const before = process.umask(0o077);
    try {
      writeAtomic(path, 'x', mode);
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(mode);
  });

  it('replaces no other where it is to be a fresh one', () => {
    writeFileSync(path, 'before');
    expect(() => writeAtomic(path, 'after', 0o600, true)).toThrow(/EEXIST/);
    expect(readFileSync(path, 'utf8')).toBe('before');
    rmSync(path);
    writeAtomic(path, 'after', 0o600, true);
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(readdirSync(folder)).toEqual(['pbs_ctl.prom']);
  });

  it('leaves what was there, and nothing half, where it cannot be written', () => {
    mkdirSync(path);
    expect(() => writeAtomic(path, 'x', 0o600)).toThrow();
    expect(readdirSync(folder)).toEqual(['pbs_ctl.prom']);
  });
});
