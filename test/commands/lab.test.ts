import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pbsCtl, start } from '../support/command.js';

describe('a lab that is left running', () => {
  it('prints each message that Slack gets', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pbs-ctl-lab-'));
    try {
      const running = start(['lab', '--scenario', 'lock-held', '--dir', dir]);
      await running.says('The lab is up');
      const { code } = await pbsCtl(['patch', '--host', 'pbs01', '--config', join(dir, 'config.json')]);
      expect(code).toBe(75);
      running.kill('SIGTERM');
      const ended = await running.ended;
      expect(ended.stderr).toMatch(/Slack got:\n {2}\| .*pbs01: postponed/);
      expect(ended.code).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
