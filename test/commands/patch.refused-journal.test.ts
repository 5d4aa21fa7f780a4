import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

describe('a journal that tells what cannot have been', () => {
  it('stops its own host, and says how to go on, while other hosts are patched', () =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      // Of pbs01, cut off in its upgrade: no reboot can follow that.
      const folder = join(lab.dir, 'state', 'runs', 'jkpqu1');
      cpSync('fixtures/runs/jkpqu1', folder, { recursive: true });
      const event = { type: 'reboot-intended', boot: { bootTime: 1, bootId: null } };
      const line = { v: 1, run: 'jkpqu1', at: '2026-11-30T16:00:00.000Z', event };
      appendFileSync(join(folder, 'journal.jsonl'), `${JSON.stringify(line)}\n`);

      const patch = ['patch', '--all', '--config', lab.configPath];
      const { code, document } = await pbsCtlJson<{
        runs: RunDocument[];
        error: { code: string; message: string; hint: string };
      }>(patch);
      expect(code).toBe(1);
      expect(document.runs).toMatchObject([{ host: 'pbs02', outcome: 'postponed' }]);
      expect(document.error).toMatchObject({
        code: 'state.unreadable',
        message: expect.stringMatching(
          /^Line 25 of \S+ cannot be read: "reboot-intended" cannot come here: the upgrade/,
        ),
        hint: expect.stringContaining('pbs-ctl recover --host pbs01'),
      });
      expect(document.error.hint).toContain(`move the folder of that run away: ${folder}`);
      expect((await pbsCtl(patch)).stderr).toContain('Line 25');

      // What it sends people to must not stumble over it.
      const recover = await pbsCtlJson<{ host: string }>([
        'recover',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect(recover.document).toMatchObject({ host: 'pbs01' });
    }));
});
