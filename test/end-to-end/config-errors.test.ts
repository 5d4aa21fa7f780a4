import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import type { RunDocument } from '../../src/report/document.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

const runsOnDisk = (lab: Lab): string[] => {
  try {
    return readdirSync(join(lab.dir, 'state', 'runs'));
  } catch {
    return [];
  }
};

describe('a secret that cannot be had', () => {
  it('leaves no run behind that the next patch would go on with', () =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const file = join(lab.dir, 'secrets', 'pbs');
      const patch = ['patch', '--host', 'pbs01', '--config', lab.configPath];
      chmodSync(file, 0o644);
      expect((await pbsCtl(patch)).code).toBe(2);
      expect(runsOnDisk(lab)).toEqual([]);
      chmodSync(file, 0o600);
      const { document } = await pbsCtlJson<RunDocument>(patch);
      expect({ resumed: document.resumed, outcome: document.outcome }).toEqual({
        resumed: false,
        outcome: 'postponed',
      });
    }));
});
