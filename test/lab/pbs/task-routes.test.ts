import { describe, it } from 'vitest';
import type { PbsHost } from '../../../src/lab/pbs/host.js';
import type { Caller } from '../../conformance/caller.js';
import { asking, told } from './hosts.js';

const TASKS = '/nodes/localhost/tasks';

async function listed(caller: Caller, filters: Record<string, string>): Promise<string[]> {
  const { data } = await caller.ask('GET', TASKS, filters);
  return (data as { worker_id: string }[]).map(({ worker_id }) => worker_id).sort();
}

/** One task of each state, and one of each kind of access that still runs. */
function tasksOf(host: PbsHost): void {
  const ended = (id: string, status: string, more: { type: string; user?: string; store?: string }) =>
    Object.assign(host.startTask({ id, seconds: null, ...more }), { endedAt: host.time.now(), status });
  ended('fine', 'OK', { type: 'prune', store: 'tank' });
  ended('warned', 'WARNINGS: 1', { type: 'aptupdate', user: 'root@pam' });
  ended('failed', 'connection error', { type: 'backup', store: 'vault' });
  ended('lost', 'unknown', { type: 'logrotate' });
  host.startTask({ id: 'writing', type: 'backup', store: 'tank', access: 'write', seconds: null });
  host.startTask({ id: 'reading', type: 'reader', store: 'tank', access: 'read', seconds: null });
}

describe('the task list of the lab', () => {
  it.concurrent('is filtered as PBS does: running, errors, state, user, store', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      tasksOf(host);
      expect(await listed(caller, { running: '1' })).toEqual(['reading', 'writing']);
      // Running ones stay.
      expect(await listed(caller, { errors: '1' })).toEqual([
        'failed',
        'lost',
        'reading',
        'warned',
        'writing',
      ]);
      expect(await listed(caller, { statusfilter: 'warning' })).toEqual(['warned']);
      expect(await listed(caller, { statusfilter: 'unknown' })).toEqual(['lost']);
      expect(await listed(caller, { userfilter: 'root' })).toEqual(['warned']);
      // A restore has no store for this filter.
      expect(await listed(caller, { store: 'tank' })).toEqual(['fine', 'writing']);
    }));

  it.concurrent('hides by since what began earlier, although it still runs', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      Object.assign(host.startTask({ id: 'old', type: 'backup', seconds: null }), { startedAt: 1000 });
      host.startTask({ id: 'new', type: 'backup', seconds: null });
      expect(await listed(caller, { since: '2000' })).toEqual(['new']);
      expect(await listed(caller, { until: '2000' })).toEqual(['old']);
    }));

  for (const [pbs, words] of [
    ['3.4', "parameter verification failed - 'statusfilter': value 'foo' is not defined in the enumeration."],
    ['4.2', 'unknown variant `foo`, expected one of `ok`, `warning`, `error`, `unknown`'],
  ] as const)
    it.concurrent(`refuses a state that PBS ${pbs} does not know, in its words`, ({ expect }) =>
      asking({ pbs }, async ({ caller }) => {
        expect(told(await caller.ask('GET', TASKS, { statusfilter: 'foo' }))).toBe(`400 ${words}`);
      }));
});

describe('a task of the lab', () => {
  it.concurrent('is not looked for by an ill-formed UPID', ({ expect }) =>
    asking({}, async ({ caller }) => {
      for (const what of ['status', 'log'])
        expect(told(await caller.ask('GET', `${TASKS}/UPID:x/${what}`))).toBe(
          "400 parameter verification failed - 'upid': value must be at least 36 characters long",
        );
    }));

  it.concurrent('has a log that is downloaded as text, and says whether it goes on', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      const { upid } = host.startTask({ type: 'backup', log: ['one', 'two'], seconds: null });
      const path = `${TASKS}/${encodeURIComponent(upid)}/log`;
      const file = await caller.ask('GET', path, { download: '1' });
      expect([told(file), file.headers['content-type']]).toEqual(['200 one\ntwo\n', 'text/plain']);
      const { body } = await caller.ask('GET', path, { 'test-status': '1' });
      expect(JSON.parse(body.toString('utf8'))).toMatchObject({ active: true, total: 2, success: 1 });
    }));
});
