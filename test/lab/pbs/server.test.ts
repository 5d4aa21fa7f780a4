import { describe, it } from 'vitest';
import { callerOf } from '../../conformance/caller.js';
import { until } from '../../support/lab.js';
import { asking, told } from './hosts.js';

const TANK = '/config/datastore/tank';
const PUT_AS = (type: string, body: string) => ({ headers: { 'content-type': type }, body });
const WRONG = 'parameter verification failed -';

describe('what PBS of the lab cannot read is answered 400, and never by a broken connection', () => {
  for (const [what, send, words] of [
    ['a body of another type', PUT_AS('text/plain', 'x'), 'unsupported content type "text/plain"'],
    [
      'a body of 512 KiB',
      PUT_AS('application/x-www-form-urlencoded', 'x'.repeat(524_288)),
      'Request body too large',
    ],
    ['broken JSON', PUT_AS('application/json', '{"delete":'), 'expected value at line 1 column 1'],
    [
      'an unknown key to delete',
      { delete: 'nope' },
      `${WRONG} 'delete': value 'nope' is not defined in the enumeration.`,
    ],
    ['an ill-formed digest', { digest: 'abc' }, `${WRONG} 'digest': value does not match the regex pattern`],
    [
      'a maintenance mode that does not exist',
      { 'maintenance-mode': 'type=asleep' },
      'unknown variant `asleep`, expected one of `read-only`, `offline`, `delete`, `unmount`, `s3-refresh`',
    ],
  ] as const)
    it.concurrent(`as is ${what}`, ({ expect }) =>
      asking({}, async ({ caller }) => {
        const answer =
          'body' in send
            ? await caller.ask('PUT', TANK, {}, send)
            : await caller.ask('PUT', TANK, send as Record<string, string>);
        expect(told(answer)).toBe(`400 ${words}`);
      }));

  it.concurrent('as are an unknown command, a value given twice, and a name that is not well encoded', ({
    expect,
  }) =>
    asking({}, async ({ caller }) => {
      expect(told(await caller.ask('POST', '/nodes/localhost/status', { command: 'foo' }))).toBe(
        '400 unknown variant `foo`, expected `reboot` or `shutdown`',
      );
      expect(told(await caller.ask('GET', '/nodes/localhost/tasks?limit=1&limit=2'))).toBe(
        `400 ${WRONG} 'limit': duplicate parameter.`,
      );
      expect((await caller.ask('GET', '/admin/datastore/%ff/status')).status).toBe(400);
    }));
});

describe('a caller whom PBS 3.4 of the lab does not believe', () => {
  for (const [authorization, why] of [
    [null, 'no authentication credentials provided.'],
    ['PBSAPIToken=pbs-ctl@pbs!patch:wrong', 'invalid credentials'],
    ['PBSAPIToken=nobody@pbs!x:y', 'user account or token disabled or expired.'],
    ['PBSAPIToken=pbs-ctl@pbs!patch=secret', 'invalid token name'],
    ['PBSAPIToken=pbs-ctl!patch:x', 'not a valid user id'],
    ['PBSAPIToken=pbs-ctl@pbs:x', 'not an API token ID'],
  ] as const)
    it.concurrent(`is told: ${why}`, ({ expect }) =>
      asking({ pbs: '3.4' }, async ({ host, caller }) => {
        // After three seconds of the server.
        const asked = performance.now();
        const answer = await caller.ask(
          'GET',
          '/version',
          {},
          { headers: { authorization: authorization ?? '' } },
        );
        expect(told(answer)).toBe(`401 authentication failed - ${why}`);
        expect(performance.now() - asked).toBeGreaterThan(3000 / host.time.factor - 5);
      }));
});

describe('a token of the lab', () => {
  it.concurrent('is refused when it or its user expired, which each says of itself', ({ expect }) =>
    asking({ pbs: '3.4' }, async ({ host, caller }) => {
      const soon = 2_000_000_000;
      host.access.changeUser('pbs-ctl@pbs', { expire: soon });
      expect((await caller.ask('GET', '/access/users/pbs-ctl@pbs')).data).toEqual({
        userid: 'pbs-ctl@pbs',
        expire: soon,
      });
      expect((await caller.ask('GET', '/access/users/pbs-ctl@pbs/token/patch')).data).toEqual({
        tokenid: 'pbs-ctl@pbs!patch',
      });
      host.access.changeUser('pbs-ctl@pbs', { expire: 1000 });
      expect(told(await caller.ask('GET', '/version'))).toMatch(/disabled or expired/);
      host.access.changeUser('pbs-ctl@pbs', { expire: 0, enable: false });
      expect((await caller.ask('GET', '/version')).status).toBe(401);
    }));

  it.concurrent('keeps its rights with a new secret, and loses them when it is deleted', ({ expect }) =>
    asking({}, async ({ lab, host, caller }) => {
      host.access.grant('/access/users', ['Permissions.Modify', 'Sys.Audit']);
      const path = '/access/users/pbs-ctl@pbs/token/patch';
      const { data } = await caller.ask('PUT', path, { regenerate: '1' });
      expect((await caller.ask('GET', '/version')).status).toBe(401);
      const renewed = callerOf(lab, 'pbs', (data as { secret: string }).secret);
      expect((await renewed.ask('GET', '/nodes/localhost/status')).status).toBe(200);
      expect((await renewed.ask('DELETE', path)).status).toBe(200);
      host.access.addToken('pbs-ctl@pbs!patch', 'made anew');
      const anew = callerOf(lab, 'pbs', 'made anew');
      expect((await anew.ask('GET', '/version')).status).toBe(200);
      expect(told(await anew.ask('GET', '/nodes/localhost/status'))).toBe('403 permission check failed');
      await Promise.all([renewed.close(), anew.close()]);
    }));

  it.concurrent('has what the command line grants it after up to five seconds', ({ expect }) =>
    asking({ factor: 40 }, async ({ host, caller }) => {
      host.byCommandLine((access) => access.grant('/access/users', ['Permissions.Modify']));
      expect(host.access.has('/access/users', 'Permissions.Modify')).toBe(false);
      expect((await caller.ask('GET', '/ping')).status).toBe(200);
      await until('it counts', () => host.access.has('/access/users', 'Permissions.Modify'));
    }));

  it.concurrent('waits half a second for a 403 of an endpoint, and not for one of a handler', ({ expect }) =>
    asking({ factor: 1 }, async ({ host, caller }) => {
      for (const each of ['Datastore.Audit', 'Datastore.Backup', 'Sys.Audit']) host.access.revoke(each);
      const took = async (path: string) => {
        const asked = performance.now();
        expect((await caller.ask('GET', path)).status).toBe(403);
        return performance.now() - asked;
      };
      await caller.ask('GET', '/ping');
      expect(await took('/nodes/localhost/status')).toBeGreaterThan(495);
      expect(await took('/admin/datastore/tank/groups')).toBeLessThan(495);
    }));
});
