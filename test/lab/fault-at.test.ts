import { describe, it } from 'vitest';
import { faultAt } from '../../src/lab/fault-at.js';
import { asking, within } from './pbs/hosts.js';

const STATUS = { server: 'pbs01', method: 'GET', path: '/admin/datastore/{name}/status' };

describe('any endpoint of the lab', () => {
  it.concurrent('may never answer, trickle, or answer late, while the others answer', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      const ask = () => caller.ask('GET', '/admin/datastore/tank/status');
      for (const fault of [{ kind: 'swallowed' }, { kind: 'trickles', everyMs: 10 }] as const) {
        lab.setWeather(faultAt(STATUS, fault));
        const call = ask();
        call.catch(() => {});
        expect(await within(150, call)).toBe('open');
        expect((await caller.ask('GET', '/ping')).status).toBe(200);
      }
      lab.setWeather(faultAt(STATUS, { kind: 'late', ms: 100 }));
      const asked = performance.now();
      expect((await ask()).status).toBe(200);
      expect(performance.now() - asked).toBeGreaterThan(95);
      lab.setWeather(faultAt({ ...STATUS, server: 'pbs02' }, { kind: 'swallowed' }));
      expect((await ask()).status).toBe(200);
    }));

  it.concurrent('may do what it is asked and never say so', ({ expect }) =>
    asking({}, async ({ lab, host, caller }) => {
      const path = '/config/datastore/{name}';
      lab.setWeather(faultAt({ method: 'PUT', path }, { kind: 'unanswered' }));
      const call = caller.ask('PUT', '/config/datastore/tank', { 'maintenance-mode': 'offline' });
      call.catch(() => {});
      expect(await within(150, call)).toBe('open');
      expect(host.datastoreAt('tank').maintenance).toBe('offline');
    }));
});
