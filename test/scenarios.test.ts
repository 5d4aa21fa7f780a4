import { afterEach, describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../src/lab/lab.js';
import { SCENARIOS } from '../src/lab/scenario.js';
import type { RunDocument } from '../src/report/document.js';
import { pbsCtlJson } from './support/command.js';

const EXIT = { patched: 0, postponed: 75, failed: 1, unverified: 3 } as const;

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.stop();
  lab = undefined;
});

describe('patch in every scenario of the lab', () => {
  it.each(SCENARIOS.map(({ name, description, expected }) => ({ name, description, expected })))(
    'ends $expected in $name: $description',
    async ({ name, expected }) => {
      lab = await startLab({ scenario: name, factor: 40 });
      const { code, document, stdout, stderr } = await pbsCtlJson<RunDocument>([
        'patch',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect({ outcome: document.outcome, code, error: document.error }).toMatchObject({
        outcome: expected,
        code: EXIT[expected],
      });
      const reboots = lab.record.events.filter(({ kind, host }) => kind === 'reboot' && host === 'pbs01');
      expect(reboots.length).toBeLessThanOrEqual(1);
      if (expected === 'patched') {
        expect(reboots).toHaveLength(1);
        expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
        expect(lab.cluster.guests.get(900)?.config.tags).toBe('pbs');
      }
      if (expected === 'postponed') {
        expect(reboots).toHaveLength(0);
        expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
      }
      expect(lab.record.events.filter(({ kind }) => kind === 'harmed')).toHaveLength(0);
      for (const secret of lab.secrets)
        expect(`${stdout}${stderr}${JSON.stringify(lab.slack.messages)}`).not.toContain(secret);
    },
  );
});
