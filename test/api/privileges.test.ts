import { describe, expect, it } from 'vitest';
import {
  grantCommand,
  grants,
  type Need,
  neededOnPbs,
  neededOnPve,
  unmet,
} from '../../src/api/privileges.js';
import type { Product } from '../../src/api/token.js';
import { pbsAccess } from '../../src/checks/pbs.access.js';
import { pveAccess } from '../../src/checks/pve.access.js';
import { Access } from '../../src/lab/access.js';

/** What the built-in roles of PBS hold, as far as the grants use them. */
const PBS_ROLES: Readonly<Record<string, readonly string[]>> = {
  Audit: ['Sys.Audit', 'Datastore.Audit'],
  Admin: ['Sys.Audit', 'Sys.Modify', 'Sys.PowerManagement', 'Datastore.Audit', 'Datastore.Modify'],
  DatastoreAdmin: ['Datastore.Audit', 'Datastore.Modify'],
  RemoteAudit: ['Remote.Audit'],
  TapeAudit: ['Tape.Audit'],
};

/** Runs the printed commands, as far as they concern the token. @throws where a role that is assigned does not exist */
function run(commands: readonly string[], access: Access): void {
  const roles = new Map(Object.entries(PBS_ROLES));
  for (const command of commands) {
    for (const [, name = '', privileges = ''] of command.matchAll(/pveum role add (\S+) -privs "([^"]*)"/g))
      roles.set(name, privileges.split(' '));
    const [, pve, pveRoles, pbs, pbsRole] =
      /pveum acl modify (\S+) \$who -role ([^;]+);|acl update (\S+) (\S+) --auth-id/.exec(command) ?? [];
    for (const role of (pveRoles ?? pbsRole ?? '').split(',').filter(Boolean)) {
      const privileges = roles.get(role);
      if (!privileges) throw new Error(`role ${role} does not exist: ${command}`);
      access.grant(pve ?? pbs ?? '', privileges, !command.includes('--propagate false'));
    }
  }
}

const heldIn = (access: Access, needs: readonly Need[]) =>
  new Map(
    needs.flatMap(({ path, grantOn }) => [path, grantOn]).map((path) => [path, access.effective(path)]),
  );
const token = (product: Product) => `pbs-ctl@${product}!patch`;

interface Case {
  readonly product: Product;
  readonly major: number | null;
  readonly needs: readonly Need[];
}
const CASES: readonly Case[] = [
  ...[8, 9].flatMap((major): Case[] => [
    {
      product: 'pve',
      major,
      needs: neededOnPve(major, { guests: [900], carrier: 900, registeredTags: false }),
    },
    {
      product: 'pve',
      major,
      needs: neededOnPve(major, { guests: [900], carrier: 901, registeredTags: false }),
    },
    { product: 'pve', major, needs: neededOnPve(major, { guests: [], carrier: null, registeredTags: true }) },
  ]),
  { product: 'pbs', major: null, needs: neededOnPbs(['tank', 'vault'], { fence: true, unit: 'up.service' }) },
];

/** The commands that the check prints where these needs are not met. */
function printed({ product, major }: Case, missing: readonly Need[]): string[] {
  const asked = { missing: [...missing], asked: missing.length, facts: null };
  const { fixes = [] } =
    product === 'pve'
      ? pveAccess.judge(
          [['main', { ...asked, token: token('pve'), major: major ?? 9, hidden: [], tagAccess: null }]],
          {} as never,
        )
      : pbsAccess.judge(asked, { target: { host: 'pbs01', config: { token: token('pbs') } } } as never);
  return fixes.flatMap(({ commands }) => commands);
}

describe('the commands that the access checks print', () => {
  it.each(CASES)('satisfy the check of a new token ($product $major)', (given) => {
    const access = new Access();
    run(printed(given, unmet(given.needs, heldIn(access, given.needs))), access);
    expect(unmet(given.needs, heldIn(access, given.needs))).toEqual([]);
  });

  it.each(CASES)('satisfy it whichever single privilege is missing ($product $major)', (given) => {
    const { product, needs, major } = given;
    for (const { path, anyOf } of needs) {
      const access = new Access();
      run(grants(product, token(product), needs, major), access);
      for (const privilege of anyOf) access.deny(path, privilege);
      const missing = unmet(needs, heldIn(access, needs));
      expect(missing.length).toBeGreaterThan(0);
      run(printed(given, missing), access);
      expect(unmet(needs, heldIn(access, needs))).toEqual([]);
    }
  });

  it.each(CASES)('are one entry where a single one is missing ($product $major)', (given) => {
    const { product, needs, major } = given;
    const isEntry = (command: string) => /acl (update|modify)/.test(command);
    const all = grants(product, token(product), needs, major);
    for (const entry of all.filter(isEntry)) {
      const access = new Access();
      run(
        all.filter((command) => command !== entry),
        access,
      );
      const commands = printed(given, unmet(needs, heldIn(access, needs)));
      expect(commands.filter(isEntry)).toEqual([entry]);
    }
  });

  it('grant nothing beyond what is missing', () => {
    const needs = neededOnPve(9, { guests: [900], carrier: 900, registeredTags: false });
    const missing = needs.filter(({ grantOn }) => grantOn === '/vms/900');
    expect(grants('pve', token('pve'), missing, 9).join('\n')).not.toContain('acl modify / ');
  });
});

describe('the command that a refusal prints', () => {
  it.each`
    product  | privilege                       | path
    ${'pve'} | ${'VM.Config.Options'}          | ${'/vms/900'}
    ${'pve'} | ${'VM.GuestAgent.Unrestricted'} | ${'/vms/900'}
    ${'pve'} | ${'VM.Monitor'}                 | ${'/vms/900'}
    ${'pve'} | ${'VM.Console'}                 | ${'/vms/900'}
    ${'pve'} | ${'Sys.Modify'}                 | ${'/'}
    ${'pve'} | ${'Sys.Audit'}                  | ${'/nodes/pve1'}
    ${'pbs'} | ${'Datastore.Modify'}           | ${'/datastore/tank'}
    ${'pbs'} | ${'Sys.PowerManagement'}        | ${'/system/status'}
  `('makes the role that it assigns: $privilege on $path of $product', ({ product, privilege, path }) => {
    const access = new Access();
    run([grantCommand(product, token(product), { privilege, path })], access);
    expect(access.has(path, privilege)).toBe(true);
  });
});
