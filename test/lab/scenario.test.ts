import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { SCENARIOS } from '../../src/lab/scenario.js';
import { pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, everythingIn, fences, withLab } from '../support/lab.js';

const EXIT = { patched: 0, postponed: 75, failed: 1, unverified: 3 } as const;
/** Ways to run something in the guest for a probe that writes nothing. */
const PROBES = /\/agent\/(ping|exec)$/;

describe('patch in every scenario of the lab', () => {
  it.concurrent.for(
    SCENARIOS.map(({ name, description, expected }) => ({ name, description, expected })),
  )('ends $expected in $name: $description', async ({ name, expected }, { expect }) =>
    withLab({ scenario: name }, async (lab) => {
      const before = { tags: carrierTags(lab), fences: fences(lab) };
      const ended = await pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', lab.configPath]);
      const { code, document, stdout, stderr } = ended;

      expect({ outcome: document.outcome, code, error: document.error }).toMatchObject({
        outcome: expected,
        code: EXIT[expected],
      });
      const reboots = eventsOf(lab, 'reboot').length;
      expect(reboots).toBeLessThanOrEqual(1);
      expect(eventsOf(lab, 'harmed')).toHaveLength(0);
      if (expected === 'patched') {
        expect(reboots).toBe(1);
        expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
        expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual(before);
      }
      if (expected === 'postponed') {
        expect(reboots).toBe(0);
        expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
        expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual(before);
        if (document.phase === 'preflight') {
          const writes = lab.record.requests.filter(
            ({ method, path }) => method !== 'GET' && !PROBES.test(path),
          );
          expect(writes).toEqual([]);
        }
      }
      if (expected === 'unverified') expect(fences(lab)).not.toEqual(before.fences);

      const written = `${stdout}${stderr}${JSON.stringify(lab.slack.messages)}${everythingIn(`${lab.dir}/state`)}`;
      for (const secret of lab.secrets) expect(written).not.toContain(secret);
    }));
});
