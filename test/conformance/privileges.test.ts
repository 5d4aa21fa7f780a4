import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { type Need, neededOnPbs, neededOnPve } from '../../src/api/privileges.js';
import type { Finding } from '../../src/journal/document.js';
import type { Access } from '../../src/lab/access.js';
import { pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

interface Checked {
  readonly checks: Finding[];
}
/** On a machine that runs many labs at once an answer may take its time. */
function grantPatience(configPath: string): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as { policy: Record<string, unknown> };
  config.policy.requestTimeout = '60s';
  writeFileSync(configPath, JSON.stringify(config));
}
const access = async (configPath: string, id: string) => {
  grantPatience(configPath);
  const { code, document } = await pbsCtlJson<Checked>([
    'preflight',
    '--host',
    'pbs01',
    '--config',
    configPath,
  ]);
  return { code, finding: document.checks.find((check) => check.id === id) };
};

interface Missing {
  readonly path: string;
  readonly privilege: string;
  readonly onlySees: boolean;
}
const each = (needs: readonly Need[]): Missing[] => [
  ...new Map(
    needs.map(({ path, anyOf: [privilege = ''], onlySees = false }) => [
      `${privilege} on ${path}`,
      { path, privilege, onlySees },
    ]),
  ).values(),
];

/** Takes one privilege away on one path, and on no path below that would inherit its lack. */
function takeAway(from: Access, { path, privilege }: Missing, all: readonly Missing[]): void {
  const held = all
    .map((other) => other.path)
    .filter((other) => other !== path && other.startsWith(path))
    .map((other) => [other, [...from.effective(other).keys()]] as const);
  for (const [other, privileges] of held) from.grant(other, privileges);
  from.deny(path, privilege);
}

const onPbs = each(neededOnPbs(['tank', 'vault'], { fence: true, unit: null }));

describe('with the privileges that the README grants, and one of them taken away', () => {
  it.concurrent.for(onPbs)('pbs.access names $privilege on $path and nothing else', (missing, { expect }) =>
    withLab({}, async (lab) => {
      const held = lab.hosts.get('pbs01')?.access;
      if (held) takeAway(held, missing, onPbs);
      const { code, finding } = await access(lab.configPath, 'pbs.access');
      expect(finding?.summary).toMatch(/^[^;]+$/);
      expect(finding?.summary).toMatch(
        new RegExp(`${missing.privilege} on ${missing.path}( and below)? is missing`),
      );
      expect(finding?.status).toBe(missing.onlySees ? 'warn' : 'block');
      expect(code).toBe(missing.onlySees ? 0 : 75);
      expect(String(finding?.detail.commands)).toContain('acl update');
    }));

  const onPve = (['8.4', '9.2'] as const).flatMap((version) => {
    const all = each(neededOnPve(Number(version[0]), { guests: [900], carrier: 900, registeredTags: false }));
    return all.map((missing) => ({ version, missing, all, ...missing }));
  });
  it.concurrent.for(onPve)('pve.access names $privilege on $path of PVE $version and nothing else', ({
    version,
    missing,
    all,
  }, { expect }) =>
    withLab({ pve: version }, async (lab) => {
      takeAway(lab.cluster.access, missing, all);
      const { code, finding } = await access(lab.configPath, 'pve.access');
      expect(code).toBe(75);
      expect(finding?.status).toBe('block');
      expect(finding?.summary).toMatch(/^[^;]+$/);
      expect(finding?.summary).toMatch(
        new RegExp(`${missing.privilege} on ${missing.path}( and below)? is missing`),
      );
      expect(String(finding?.detail.commands)).toContain('pveum acl modify');
    }));
});
