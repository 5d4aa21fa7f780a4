import { describe, it } from 'vitest';
import { neededOnPbs, neededOnPve } from '../../src/preflight/privileges.js';
import type { Finding } from '../../src/report/document.js';
import { pbsCtlJson } from '../support/command.js';
import { withLab } from '../support/lab.js';

interface Checked {
  readonly checks: Finding[];
}
const access = async (configPath: string, id: string) => {
  const { code, document } = await pbsCtlJson<Checked>([
    'preflight',
    '--host',
    'pbs01',
    '--config',
    configPath,
  ]);
  return { code, finding: document.checks.find((check) => check.id === id) };
};
const unique = (needs: ReadonlyArray<{ path: string; anyOf: readonly string[] }>) => [
  ...new Map(
    needs.map(({ path, anyOf }) => [`${anyOf[0]} on ${path}`, { path, privilege: anyOf[0] ?? '' }]),
  ).values(),
];

describe('with the privileges that the README grants, and one of them taken away', () => {
  it.concurrent.for(
    unique(neededOnPbs('a@pbs!b', ['tank', 'vault'], { fence: true, unit: null })).filter(
      ({ path }) => path !== '/',
    ),
  )('pbs.access names $privilege on $path', async ({ privilege, path }, { expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs01')?.access.deny(path, privilege);
      const { code, finding } = await access(lab.configPath, 'pbs.access');
      expect(code).toBe(75);
      expect(finding?.status).toBe('block');
      expect(finding?.summary).toContain(`${privilege} on ${path} is missing`);
      expect(String(finding?.detail.commands)).toContain(`acl update`);
    }),
  );

  it.concurrent.for(
    (['8.4', '9.2'] as const).flatMap((version) =>
      unique(
        neededOnPve('a@pve!b', Number(version[0]), { guest: 900, carrier: 900, registeredTags: false }),
      ).map((need) => ({ version, ...need })),
    ),
  )(
    'pve.access names $privilege on $path of PVE $version',
    async ({ version, privilege, path }, { expect }) =>
      withLab({ pve: version }, async (lab) => {
        lab.cluster.access.deny(path, privilege);
        const { code, finding } = await access(lab.configPath, 'pve.access');
        expect(code).toBe(75);
        expect(finding?.status).toBe('block');
        expect(finding?.summary).toContain(`${privilege} on ${path} is missing`);
        expect(String(finding?.detail.commands)).toContain('pveum acl modify');
      }),
  );
});
