import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiFault } from '../../src/api/failure.js';
import { grantCommand, grants, neededOnPbs, neededOnPve } from '../../src/api/privileges.js';
import { commandsOf } from '../../src/setup/draft.js';
import { refusedToken } from '../../src/setup/token.js';
import { typed } from '../support/interactive-shell.js';

const page = readFileSync(new URL('../../docs/privileges.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
const [onPbs = '', onPve = ''] = blocks;

/** The entries that these calls make, in the form `PATH ROLE WHO`; on PVE one for each role. */
const entriesOf = (calls: readonly string[]): string[] =>
  calls
    .flatMap((call) => {
      const [, path, role, who] = /acl update (\S+) (\S+) --auth-id (\S+)/.exec(call) ?? [];
      if (path) return [`${path} ${role} ${who}`];
      const [, on, whom, roles = ''] = /acl modify (\S+) -(?:user|token) (\S+) -role (\S+)/.exec(call) ?? [];
      return on ? roles.split(',').map((each) => `${on} ${each} ${whom}`) : [];
    })
    .sort();
const forBoth = (product: 'pbs' | 'pve', ...entries: string[]) =>
  entries.flatMap((entry) => [`${entry} pbs-ctl@${product}`, `${entry} pbs-ctl@${product}!patch`]).sort();

const PBS_ENTRIES = forBoth(
  'pbs',
  ...['/ Audit', '/ Admin', '/system/status Admin', '/remote RemoteAudit', '/tape TapeAudit'],
  '/datastore/tank DatastoreAdmin',
);
const PVE_ENTRIES = forBoth('pve', '/ PbsCtlAudit', '/vms/900 PbsCtlAudit', '/vms/900 PbsCtlVM');

describe('typed into an interactive bash', async () => {
  it('a token in double quotes is lost to the history, which is what these tests are about', async () => {
    const { calls, stderr } = await typed('pveum acl modify / -token "pbs-ctl@pve!patch" -role PbsCtlAudit');
    expect(stderr).toContain('event not found');
    expect(calls).toEqual([]);
  });

  it.each([
    ['PBS', onPbs, PBS_ENTRIES],
    ['PVE', onPve, PVE_ENTRIES],
  ])('the grants of docs/privileges.md make every entry on %s', async (_, block, entries) => {
    const { calls, stderr } = await typed(block);
    expect(stderr).not.toMatch(/event not found|syntax error|command not found/);
    expect(entriesOf(calls)).toEqual(entries);
  });

  it('every other block of commands in docs/privileges.md is understood', async () => {
    for (const block of blocks.slice(2).filter((each) => /^(pveum|proxmox)/m.test(each)))
      expect((await typed(block)).stderr).not.toMatch(/event not found|syntax error|command not found/);
  });

  it('the commands that init prints make every entry', async () => {
    const server = { secret: { env: 'X' }, fingerprints: [] };
    const commands = commandsOf({
      cluster: { ...server, name: 'main', endpoints: [], token: 'pbs-ctl@pve!patch', major: 9 },
      hosts: [
        {
          ...server,
          name: 'pbs01',
          endpoint: 'https://pbs01:8007',
          token: 'pbs-ctl@pbs!patch',
          vmid: 900,
          datastores: ['tank'],
          addresses: [],
        },
      ],
      slack: null,
    });
    const { calls } = await typed(
      commands.map(({ where, commands: lines }) => [`# on ${where}`, ...lines].join('\n')).join('\n\n'),
    );
    expect(entriesOf(calls)).toEqual([...PVE_ENTRIES, ...PBS_ENTRIES].sort());
    expect(calls.filter((call) => /token add|generate-token/.test(call))).toEqual([
      'pveum user token add pbs-ctl@pve patch -privsep 1',
      'proxmox-backup-manager user generate-token pbs-ctl@pbs patch',
    ]);
  });

  it('the commands that doctor prints make every entry', async () => {
    const needs = neededOnPve(null, { guests: [900], carrier: 900, registeredTags: false });
    const { fixes } = refusedToken(
      { subject: 'cluster main', product: 'pve', token: 'pbs-ctl@pve!patch', where: 'a node of main' },
      new ApiFault(
        'api.unauthorized',
        'refused',
        { method: 'GET', path: '/version' },
        {},
        { denied: 'token' },
      ),
      grants('pve', 'pbs-ctl@pve!patch', needs),
    );
    expect(entriesOf((await typed(fixes.flatMap(({ commands }) => commands).join('\n'))).calls)).toEqual(
      PVE_ENTRIES,
    );
    const onHost = grants('pbs', 'pbs-ctl@pbs!patch', neededOnPbs(['tank'], { fence: true, unit: null }));
    expect(entriesOf((await typed(onHost.join('\n'))).calls)).toEqual(PBS_ENTRIES);
  });

  it.each([
    'pbs',
    'pve',
  ] as const)('the command in the hint of a refusal makes its entry on %s', async (product) => {
    const privilege = product === 'pbs' ? 'Sys.PowerManagement' : 'VM.Config.Options';
    const path = product === 'pbs' ? '/system/status' : '/vms/900';
    const { calls } = await typed(grantCommand(product, `pbs-ctl@${product}!patch`, { privilege, path }));
    const role = product === 'pbs' ? 'Admin' : 'PbsCtlVM';
    expect(entriesOf(calls)).toEqual(forBoth(product, `${path} ${role}`));
  });
});
