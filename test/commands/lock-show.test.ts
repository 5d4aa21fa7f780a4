import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

const show = (lab: Lab, ...more: string[]) => ['lock', 'show', '--config', lab.configPath, ...more];

/** A second cluster in the config of the first. */
function joinTo(lab: Lab, other: Lab): void {
  const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
  const { clusters } = JSON.parse(readFileSync(other.configPath, 'utf8'));
  config.clusters.other = { ...clusters.main, lock: { vmid: 900 } };
  writeFileSync(lab.configPath, JSON.stringify(config));
}

/** What `patch` leaves on disk of a run that has the lock. */
function journalOf(lab: Lab, run: string, lines: ReadonlyArray<[at: string, event: object]>): void {
  const folder = join(lab.dir, 'state', 'runs', run);
  mkdirSync(folder, { recursive: true });
  const text = lines.map(([at, event]) => `${JSON.stringify({ v: 1, run, at, event })}\n`).join('');
  writeFileSync(join(folder, 'journal.jsonl'), text);
}

describe('lock show', () => {
  it.concurrent('without a name shows the lock of every cluster', ({ expect }) =>
    withLab({ scenario: 'lock-held' }, (lab) =>
      withLab({}, async (other) => {
        joinTo(lab, other);
        const { code, document } = await pbsCtlJson(show(lab));
        expect({ code, document }).toMatchObject({
          code: 0,
          document: {
            clusters: [
              { cluster: 'main', held: true, store: 'guest-tag' },
              { cluster: 'other', held: false, owner: null },
            ],
          },
        });
        const { stdout } = await pbsCtl(show(lab));
        expect(stdout).toMatch(/^Lock of cluster main: held by [\s\S]+\nLock of cluster other: free\n$/);
        expect((await pbsCtlJson(show(lab, '--cluster', 'other'))).document).toMatchObject({
          cluster: 'other',
          held: false,
        });
      }),
    ));

  it.concurrent('shows the others where one cluster is away, and ends 75', ({ expect }) =>
    withLab({ scenario: 'lock-held' }, (lab) =>
      withLab({}, async (other) => {
        joinTo(lab, other);
        for (const server of other.cluster.servers) server.goDark('refuse');
        const { code, document } = await pbsCtlJson(show(lab));
        expect({ code, document }).toMatchObject({
          code: 75,
          document: {
            clusters: [
              { cluster: 'main', held: true },
              { cluster: 'other', error: { code: 'net.unreachable' } },
            ],
          },
        });
        expect((await pbsCtl(show(lab))).stdout).toContain('Lock of cluster other: not known');
      }),
    ));

  it.concurrent('tells since when a run of this machine has it, however often that went on', ({ expect }) =>
    withLab({}, async (lab) => {
      const taken = await pbsCtl(['lock', 'acquire', '--owner', 'pbs01', '--config', lab.configPath]);
      const run = taken.stdout.trim();
      expect((await pbsCtlJson(show(lab))).document).toMatchObject({ run, since: null });
      expect((await pbsCtl(show(lab))).stdout).toContain('  since unknown\n');
      const locked = { type: 'locked', cluster: 'main', expiresAt: 1 };
      journalOf(lab, run, [
        ['2026-11-23T02:00:00.000Z', { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false }],
        ['2026-11-23T02:00:01.000Z', locked],
        ['2026-11-23T02:00:02.000Z', { type: 'unlocked', cluster: 'main' }],
        ['2026-11-23T02:00:03.000Z', locked],
        ['2026-11-23T02:00:04.000Z', { ...locked, cluster: 'other' }],
        ['2026-11-23T02:00:05.000Z', locked],
      ]);
      expect((await pbsCtlJson(show(lab))).document).toMatchObject({
        run,
        since: '2026-11-23T02:00:03.000Z',
      });
      expect((await pbsCtl(show(lab))).stdout).toMatch(/ {2}since 2026-11-2\d \d\d:00:03/);
    }));
});
