import type { ExpectStatic } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import { SCENARIOS } from '../../src/lab/scenario.js';
import { pbsCtlJson } from './in-process.js';
import { carrierTags, eventsOf, everythingIn, fences } from './lab.js';

const EXIT = { patched: 0, postponed: 75, failed: 1, unverified: 3 } as const;
/** Ways to run something in the guest for a probe that writes nothing. */
const PROBES = /\/agent\/(ping|exec)$/;

/** Patches pbs01 in the lab of a scenario, and expects what holds in each: the outcome, and what is left behind. */
export async function patchIn(
  lab: Lab,
  name: string,
  expect: ExpectStatic,
  run: typeof pbsCtlJson = pbsCtlJson,
): ReturnType<typeof pbsCtlJson<RunDocument>> {
  const expected = SCENARIOS.find((each) => each.name === name)?.expected;
  if (!expected) throw new Error(`the lab has no scenario "${name}"`);
  const before = { tags: carrierTags(lab), fences: fences(lab) };
  const ended = await run<RunDocument>(['patch', '--host', 'pbs01', '--config', lab.configPath]);
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
      const writes = lab.record.requests.filter(({ method, path }) => method !== 'GET' && !PROBES.test(path));
      expect(writes).toEqual([]);
    }
  }
  if (expected === 'unverified') expect(fences(lab)).not.toEqual(before.fences);

  const written = `${stdout}${stderr}${JSON.stringify(lab.slack.messages)}${everythingIn(`${lab.dir}/state`)}`;
  for (const secret of lab.secrets) expect(written).not.toContain(secret);
  return ended;
}
