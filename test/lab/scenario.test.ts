import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/lab/scenario.js';
import { withLab } from '../support/lab.js';
import { patchIn } from '../support/scenario.js';

/** Where a test needs the same run for what comes after it, it expects the same of it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  healthy: 'test/commands/patch.test.ts',
  'upgrade-fails': 'test/commands/patch.test.ts',
  'mount-missing-after-reboot': 'test/commands/recover.test.ts',
  'service-fails': 'test/commands/recover.test.ts',
  'never-comes-back': 'test/commands/recover.test.ts',
  'stays-off': 'test/commands/recover.test.ts',
  'upgrade-slow': 'test/commands/recover.test.ts',
};

describe('patch in every scenario of the lab', () => {
  it.concurrent.for(
    SCENARIOS.filter(({ name }) => !(name in ELSEWHERE)).map(({ name, description, expected }) => ({
      name,
      description,
      expected,
    })),
  )('ends $expected in $name: $description', async ({ name }, { expect }) =>
    withLab({ scenario: name }, async (lab) => void (await patchIn(lab, name, expect))));

  it.each(Object.entries(ELSEWHERE))('in %s is run by %s', (name, file) => {
    expect(readFileSync(file, 'utf8')).toContain(`patchIn(lab, '${name}', expect`);
  });
});
