import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { Finding, RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import type { Diagnosis } from '../../src/recover/diagnose.js';
import { pbsCtlJson } from '../support/in-process.js';
import { eventsOf, fences, withLab } from '../support/lab.js';

const TANK = '/mnt/datastore/tank';

/** As the kernel does with errors=remount-ro. */
function remountReadOnly(lab: Lab, path = TANK): void {
  const file = join(lab.hosts.get('pbs01')?.machine.root ?? '', '.machine/mounts');
  const rows = readFileSync(file, 'utf8').split('\n');
  writeFileSync(
    file,
    rows
      .map((row) => (row.startsWith(`${path}\t`) ? row.replace('rw,relatime', 'ro,relatime') : row))
      .join('\n'),
  );
}

const ask = <Document>(lab: Lab, ...args: string[]) =>
  pbsCtlJson<Document>([...args, '--host', 'pbs01', '--config', lab.configPath]);
const blocks = (checks: readonly Finding[]) => checks.filter(({ status }) => status === 'block');

// Case 44.
describe('a datastore that the kernel has mounted read-only', () => {
  it.concurrent('is seen by preflight, recover and doctor alike, and no run begins', ({ expect }) =>
    withLab({}, async (lab) => {
      remountReadOnly(lab);
      const why = /tank: \/mnt\/datastore\/tank is mounted read-only, as when the kernel has seen errors/;
      const seen = await ask<{ checks: Finding[] }>(lab, 'preflight');
      expect({ code: seen.code, blocks: blocks(seen.document.checks) }).toMatchObject({
        code: 75,
        blocks: [{ id: 'pbs.datastores', summary: expect.stringMatching(why) }],
      });
      const { code, document } = await ask<{ diagnosis: Diagnosis }>(lab, 'recover');
      expect({ code, problem: document.diagnosis.problem }).toEqual({
        code: 1,
        problem: expect.stringMatching(why),
      });
      const doctor = await pbsCtlJson<{
        findings: Array<{ topic: string; status: string; summary: string }>;
      }>(['doctor', '--config', lab.configPath]);
      expect(doctor.document.findings).toContainEqual(
        expect.objectContaining({ topic: 'inside', status: 'block', summary: expect.stringMatching(why) }),
      );
      const verified = await ask<{ checks: Finding[] }>(lab, 'verify');
      expect({ code: verified.code, ids: blocks(verified.document.checks).map(({ id }) => id) }).toEqual({
        code: 3,
        ids: ['verify.mounts'],
      });
    }));

  it.concurrent('right before the reboot ends the run as failed: a sick disk is not rebooted, the fence stays', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'upgrade-started') remountReadOnly(lab);
      });
      const { code, document } = await ask<RunDocument>(lab, 'patch');
      expect({ code, outcome: document.outcome, reboots: eventsOf(lab, 'reboot').length }).toEqual({
        code: 1,
        outcome: 'failed',
        reboots: 0,
      });
      expect(fences(lab)).toHaveLength(2);
    }));
});

describe('another apt at work', () => {
  it.concurrent('is named by preflight and by recover, which does not advise dpkg beside it', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs01')?.machine.holdLock?.('/var/lib/dpkg/lock', null, 'unattended-upgrade');
      const named = /unattended-upgrades \(process 1734\) is at work on packages/;
      const { document } = await ask<{ checks: Finding[] }>(lab, 'preflight');
      expect(blocks(document.checks).map(({ summary }) => summary)).toEqual([expect.stringMatching(named)]);
      const { diagnosis } = (await ask<{ diagnosis: Diagnosis }>(lab, 'recover')).document;
      expect(diagnosis.problem).toMatch(named);
      expect(diagnosis.steps.map(({ command }) => command)).toEqual(['ps -fp 1734']);
    }));
});
