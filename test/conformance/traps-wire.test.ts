import { beforeAll, describe, expect, it } from 'vitest';
import type { RawRequest, Reply } from '../../src/lab/https.js';
import { readForm } from '../../src/lab/parameters.js';
import { pbsCtl } from '../support/in-process.js';
import { eventsOf, fences, withLab } from '../support/lab.js';

/**
 * Traps of both APIs that show in what is sent: one whole run, taken off the wire, looked at for each.
 * Those that show in what is understood have their tests beside the clients (test/api), those that show in
 * decisions beside the checks (test/preflight), and those of whole situations among the scenarios.
 */
interface Sent extends RawRequest {
  readonly product: 'pve' | 'pbs';
  readonly path: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly reply: Reply;
}
const sent: Sent[] = [];
const of = (product: 'pve' | 'pbs', method: string, path: RegExp) =>
  sent.filter((each) => each.product === product && each.method === method && path.test(each.path));

beforeAll(() =>
  withLab({}, async (lab) => {
    lab.cluster.storeTags(lab.cluster.guests.get(900) ?? ({ config: {} } as never), []);
    const listen = (product: 'pve' | 'pbs') => (request: RawRequest, reply: Reply) => {
      const { pathname, search } = new URL(request.url, 'https://lab');
      const form = String(request.headers['content-type'] ?? '').includes('form')
        ? readForm(request.body)
        : {};
      sent.push({
        ...request,
        product,
        path: pathname.replace(/^\/api2\/json/, ''),
        parameters: { ...readForm(search), ...form },
        reply,
      });
    };
    for (const server of lab.cluster.servers) server.observe = listen('pve');
    for (const { server } of lab.hosts.values()) server.observe = listen('pbs');
    const { code } = await pbsCtl(['patch', '--host', 'pbs01', '--config', lab.configPath]);
    expect({ code, reboots: eventsOf(lab, 'reboot').length, fences: fences(lab) }).toEqual({
      code: 0,
      reboots: 1,
      fences: [],
    });
  }),
);

describe('traps of the PVE API', () => {
  it('PVE 1: no body is streamed; every length is told', () => {
    expect(sent.filter(({ headers }) => headers['transfer-encoding'] !== undefined)).toEqual([]);
  });
  it('PVE 2: a JSON content type never comes with an empty body', () => {
    expect(
      sent.filter(({ headers, body }) => String(headers['content-type']).includes('json') && body === ''),
    ).toEqual([]);
  });
  it('PVE 3: separators in form and query values are encoded', () => {
    const writes = of('pve', 'PUT', /\/config$/);
    expect(writes.length).toBeGreaterThan(0);
    for (const { body } of writes) expect(body).not.toMatch(/;/);
  });
  it('PVE 4: neither GET nor DELETE has a body', () => {
    expect(sent.filter(({ method, body }) => ['GET', 'DELETE'].includes(method) && body !== '')).toEqual([]);
  });
  it('PVE 15: the config of a guest is never written without the digest that was read', () => {
    for (const { parameters } of of('pve', 'PUT', /\/config$/))
      expect(parameters.digest).toMatch(/^[0-9a-f]{40}$/);
  });
  it('PVE 16: the config of a guest is written with PUT, whose refusal shows at once, never with POST', () => {
    expect(of('pve', 'POST', /\/config$/)).toEqual([]);
  });
  it('PVE 22: the last tag is deleted; an empty value is never written', () => {
    const last = of('pve', 'PUT', /\/config$/).at(-1);
    expect(last?.parameters).toMatchObject({ delete: 'tags' });
  });
  it('PVE 26, PVE 27, PVE 28, PVE 29: running tasks are not looked for with filters that hide some', () => {
    for (const { parameters } of of('pve', 'GET', /\/tasks$/)) {
      expect(parameters).not.toHaveProperty('vmid');
      expect(parameters).not.toHaveProperty('since');
      if (Object.keys(parameters).length > 0)
        expect(parameters).toMatchObject({ source: 'active', limit: expect.not.stringMatching(/^0$/) });
    }
  });
  it('PVE 36: the VM is never rebooted, reset or stopped through PVE', () => {
    expect(of('pve', 'POST', /\/status\//)).toEqual([]);
  });
  it('PVE 35: a boot is told by the boot id of the guest, not by the uptime of the VM', () => {
    expect(of('pve', 'GET', /\/agent\/file-read$/).length).toBeGreaterThan(0);
  });
  it('PVE 39, PVE 41: the upgrade runs in a unit of a fixed name, started once', () => {
    const starts = of('pve', 'POST', /\/agent\/exec$/).filter(({ body }) => body.includes('systemd-run'));
    expect(starts).toHaveLength(1);
    expect(starts[0]?.body).toMatch(/--unit=pbs-ctl-upgrade-[a-z0-9]{6}\.service/);
  });
  it('PVE 40: the end of a command is not requested again once it is known', () => {
    const ended = of('pve', 'GET', /\/agent\/exec-status$/).filter(({ reply }) =>
      /"exited":(1|true)/.test(reply.body),
    );
    const pids = ended.map(({ parameters }) => parameters.pid);
    expect(new Set(pids).size).toBe(pids.length);
  });
});

describe('traps of the PBS API', () => {
  it('PBS 4: a GET has no JSON content type, which would make the server ignore its filters', () => {
    expect(of('pbs', 'GET', /./).filter(({ headers }) => headers['content-type'] !== undefined)).toEqual([]);
  });
  it('PBS 6: `GET /nodes` is refused to every token: the node is called localhost', () => {
    expect(of('pbs', 'GET', /^\/nodes$/)).toEqual([]);
    for (const { path } of of('pbs', 'GET', /^\/nodes\//)) expect(path).toMatch(/^\/nodes\/localhost\//);
  });
  it('PBS 19: running tasks are requested without since and store, which hide some, and without a limit', () => {
    const lists = of('pbs', 'GET', /\/tasks$/).filter(({ parameters }) => 'running' in parameters);
    expect(lists.length).toBeGreaterThan(0);
    for (const { parameters } of lists)
      expect(parameters).toEqual({ running: expect.anything(), limit: '0' });
  });
  it('PBS 30: push jobs are requested too', () => {
    for (const { parameters } of of('pbs', 'GET', /^\/admin\/sync$/))
      expect(parameters).toEqual({ 'sync-direction': 'all' });
  });
  it('PBS 21: the log of a task is read from line 1 on', () => {
    for (const { parameters } of of('pbs', 'GET', /\/log$/))
      expect(Number(parameters.start)).toBeGreaterThanOrEqual(1);
  });
  it('PBS 25: the message of a maintenance mode has no comma and at most 64 characters', () => {
    const modes = of('pbs', 'PUT', /^\/config\/datastore\//).flatMap(
      ({ parameters }) => parameters['maintenance-mode'] ?? [],
    );
    expect(modes).toHaveLength(2);
    for (const mode of modes) {
      const message = /message="?([^"]*)"?$/.exec(String(mode))?.[1] ?? '';
      expect(message).toMatch(/^[^,]{10,64}$/);
    }
  });
  it('PBS 27: a datastore is never written without the digest that was read', () => {
    for (const { parameters } of of('pbs', 'PUT', /^\/config\/datastore\//))
      expect(parameters.digest).toMatch(/^[0-9a-f]{64}$/);
  });
  it('PBS 36: the reboot is requested once', () => {
    expect(of('pbs', 'POST', /^\/nodes\/localhost\/status$/)).toHaveLength(1);
  });
  it('PBS 13: the upgrade shell is never tried: a token cannot open it', () => {
    expect(of('pbs', 'POST', /termproxy$/)).toEqual([]);
  });
  it('PBS 32: the separator of the token is ":" for PBS and "=" for PVE', () => {
    for (const { product, headers } of sent)
      expect(String(headers.authorization)).toMatch(
        product === 'pbs' ? /^PBSAPIToken=[^=:]+:[^:]+$/ : /^PVEAPIToken=[^=:]+=[^=]+$/,
      );
  });
});
