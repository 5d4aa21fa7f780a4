import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, withLab } from '../support/lab.js';

const lock = (lab: Lab, command: string, ...more: string[]) => [
  ...['lock', command, '--cluster', 'main', '--config', lab.configPath],
  ...more,
];
const tag = (lab: Lab, vmid: number, text: string) => {
  const guest = lab.cluster.guests.get(vmid);
  if (guest) guest.config.tags = `prod;${text}`;
};
const changeLock = (lab: Lab, own: object) => {
  const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
  config.clusters.main.lock = own;
  writeFileSync(lab.configPath, JSON.stringify(config));
};
const LASTS = 4_102_444_800;

describe('a lock tag on a guest that is not the lock carrier of this config', () => {
  it.concurrent('holds the lock: for lock acquire, lock show, preflight and doctor', ({ expect }) =>
    withLab({}, async (lab) => {
      tag(lab, 101, `pbs-ctl-lock+pbs02+other1+${LASTS}`);
      const acquired = await pbsCtlJson<{ error: { code: string; message: string } }>(
        lock(lab, 'acquire', '--owner', 'me'),
      );
      expect(acquired.code).toBe(75);
      expect(acquired.document.error).toMatchObject({
        code: 'lock.held',
        message: expect.stringContaining('by a tag on guest 101'),
      });
      expect(carrierTags(lab)).not.toContain('pbs-ctl-lock');
      expect((await pbsCtlJson(lock(lab, 'show'))).document).toMatchObject({
        ...{ held: true, owner: 'pbs02', run: 'other1', expired: false, guest: 101 },
        remarks: ['its tag is on guest 101, which is not the lock carrier of this config'],
      });
      const checked = await pbsCtlJson<{ checks: Array<{ id: string; status: string; summary: string }> }>([
        ...['preflight', '--host', 'pbs01', '--config', lab.configPath],
      ]);
      expect(checked.document.checks.find(({ id }) => id === 'lock.available')).toMatchObject({
        status: 'block',
        summary: expect.stringMatching(/^held by "pbs02" \(run other1\) until .+ \(tag on guest 101\)$/),
      });
      // One that has expired holds it too, and is named as what it is.
      tag(lab, 101, 'pbs-ctl-lock+pbs02+other1+1');
      const { stdout } = await pbsCtl(['doctor', '--config', lab.configPath]);
      expect(stdout.replace(/\s+/g, ' ')).toContain(
        'guest 101 carries a lock tag of "pbs02" (run other1) that expired at 1970-01-01T00:00:01.000Z: it was cloned or restored',
      );
      const expired = await pbsCtlJson<{ error: { code: string } }>(lock(lab, 'acquire', '--owner', 'me'));
      expect(expired.document.error.code).toBe('lock.expired');
    }));

  it.concurrent('is broken where the token may write it, and else named', ({ expect }) =>
    withLab({}, async (lab) => {
      tag(lab, 901, `pbs-ctl-lock+pbs02+other1+${LASTS}`);
      tag(lab, 101, `pbs-ctl-lock+pbs02+other2+${LASTS}`);
      const broken = await pbsCtlJson<{ removed: string[]; left: object[] }>(lock(lab, 'break', '--yes'));
      expect(broken).toMatchObject({
        code: 1,
        document: {
          removed: [`pbs-ctl-lock+pbs02+other1+${LASTS}`],
          left: [{ guest: 101, tag: `pbs-ctl-lock+pbs02+other2+${LASTS}`, error: { code: 'api.forbidden' } }],
        },
      });
      expect(lab.cluster.guests.get(901)?.config.tags).toBe('prod');
      tag(lab, 101, 'web');
      expect((await pbsCtl(lock(lab, 'break', '--yes'))).stdout).toBe('there was no lock\n');
      expect((await pbsCtl(lock(lab, 'acquire', '--owner', 'me'))).code).toBe(0);
    }));

  it.concurrent('may be that of another config: one that leaves the carrier to the order of its hosts is warned of', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const remark = expect.stringContaining('the config does not say which guest carries it');
      expect((await pbsCtlJson(lock(lab, 'show'))).document).toMatchObject({ remarks: [] });
      changeLock(lab, {});
      expect((await pbsCtlJson(lock(lab, 'show'))).document).toMatchObject({ remarks: [remark] });
      const { document } = await pbsCtlJson<{ checks: Array<{ id: string }> }>([
        ...['preflight', '--host', 'pbs01', '--config', lab.configPath],
      ]);
      expect(document.checks.find(({ id }) => id === 'lock.available')).toMatchObject({
        status: 'warn',
        detail: { hint: expect.stringContaining('Set clusters.main.lock.vmid to 900') },
      });
    }));
});
