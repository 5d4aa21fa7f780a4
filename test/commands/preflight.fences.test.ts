import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

const datastores = async (lab: Lab) => {
  const { document } = await pbsCtlJson<{ checks: Array<{ id: string; status: string; summary: string }> }>([
    ...['preflight', '--host', 'pbs01', '--config', lab.configPath],
  ]);
  return document.checks.find(({ id }) => id === 'pbs.datastores');
};

it('a fence of a run blocks that no lock and no journal here accounts for, and names the way out', () =>
  withLab({}, async (lab) => {
    const [tank] = lab.hosts.get('pbs01')?.datastores ?? [];
    if (tank) tank.maintenance = 'read-only,message=pbs-ctl run other1 since 2026-11-30T20:55Z';
    expect(await datastores(lab)).toMatchObject({
      status: 'block',
      summary: expect.stringContaining('tank is fenced by run other1, which has no lock'),
      fixes: [expect.objectContaining({ commands: ['pbs-ctl recover --host pbs01 --lift-fence'] })],
    });
    const app = lab.cluster.guests.get(101);
    if (app) app.config.tags = 'pbs-ctl-lock+pbs01+other1+1';
    expect(await datastores(lab)).toMatchObject({
      status: 'warn',
      summary: expect.stringContaining('tank is read-only, set by run other1'),
    });
    if (app) app.config.tags = 'prod';
    const folder = join(lab.dir, 'state', 'runs', 'other1');
    mkdirSync(folder, { recursive: true });
    const event = { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false };
    const line = { v: 1, run: 'other1', at: '2026-11-30T20:55:00.000Z', event };
    writeFileSync(join(folder, 'journal.jsonl'), `${JSON.stringify(line)}\n`);
    expect(await datastores(lab)).toMatchObject({ status: 'warn' });
  }));
