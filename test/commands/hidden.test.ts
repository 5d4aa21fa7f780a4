import { describe, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

const blocks = async (lab: Lab) => {
  const { document } = await pbsCtlJson<{ checks: Array<{ id: string; status: string; summary: string }> }>([
    ...['preflight', '--host', 'pbs01', '--config', lab.configPath],
  ]);
  return document.checks.flatMap(({ id, status, summary }) =>
    status === 'block' ? [`${id}: ${summary}`] : [],
  );
};

describe('what is hidden from a token', () => {
  it.concurrent('a datastore that a storage of PVE names blocks', ({ expect }) =>
    withLab({}, async (lab) => {
      for (const what of ['Audit', 'Modify', 'Read', 'Verify', 'Backup', 'Prune'])
        lab.hosts.get('pbs01')?.access.deny('/datastore/vault', `Datastore.${what}`);
      expect(await blocks(lab)).toEqual([
        expect.stringMatching(/^pbs\.access: Datastore\.Audit on \/datastore\/vault is missing/),
      ]);
    }));

  it.concurrent('guests below a path that hands nothing down block', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.cluster.access.grant('/vms', ['VM.Audit'], false);
      expect(await blocks(lab)).toEqual([
        expect.stringMatching(/^pve\.access: VM\.Audit on \/vms and below is missing/),
      ]);
    }));
});
