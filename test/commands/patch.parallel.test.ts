import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

describe('patch --all --parallel', () => {
  it('works on hosts of independent clusters side by side, and those of one cluster in order', () =>
    withLab({}, (lab) =>
      withLab({}, async (other) => {
        // pbs01 and pbs02 belong to one cluster, pbs11 to another.
        const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
        const elsewhere = JSON.parse(readFileSync(other.configPath, 'utf8'));
        config.clusters.other = elsewhere.clusters.main;
        config.hosts.pbs11 = { ...elsewhere.hosts.pbs01, guest: { cluster: 'other', vmid: 900 } };
        delete config.hosts.pbs11.serves;
        writeFileSync(lab.configPath, JSON.stringify(config));
        const file = join(lab.dir, 'events.jsonl');
        const { code, document, stderr } = await pbsCtlJson<{ runs: RunDocument[] }>([
          ...['patch', '--all', '--check', '--parallel', '3', '--config', lab.configPath, '--events', file],
        ]);
        expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
        expect(document.runs.map(({ host, outcome }) => `${host} ${outcome}`)).toEqual([
          'pbs01 checked',
          'pbs02 checked',
          'pbs11 checked',
        ]);
        const told = readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { host: string; event: string })
          .filter(({ event }) => event === 'begun' || event === 'ended')
          .map(({ host, event }) => `${host} ${event}`);
        expect(told.slice(0, 2).sort()).toEqual(['pbs01 begun', 'pbs11 begun']);
        expect(told.indexOf('pbs02 begun')).toBeGreaterThan(told.indexOf('pbs01 ended'));
        for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^\S+ pbs(01|02|11) /);
      }),
    ));

  it('takes a number of hosts, nothing else', async () => {
    const { code, stderr } = await pbsCtl(['patch', '--all', '--parallel', 'two']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "error: option '--parallel <n>' argument 'two' is invalid. Expected a whole number of at least 1.\n",
    });
  });
});
