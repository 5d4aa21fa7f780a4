import { describe, it } from 'vitest';
import type { RunDocument } from '../../../src/journal/document.js';
import { pbsCtlJson } from '../../support/in-process.js';
import { eventsOf, withLab } from '../../support/lab.js';

const BACKUP = { type: 'backup', id: 'tank:vm/101', store: 'tank', seconds: 5 } as const;

describe('a datastore of the lab in maintenance', () => {
  it.concurrent('refuses new writers in the words of the server, and lets what runs go on', ({ expect }) =>
    withLab({}, async (lab) => {
      const host = lab.hosts.get('pbs01');
      const [tank] = host?.datastores ?? [];
      if (!host || !tank) throw new Error('the lab has no tank');
      const before = host.startTask({ ...BACKUP, access: 'write', seconds: null });
      tank.maintenance = 'read-only,message=patching';
      const refused = host.startTask({ ...BACKUP, access: 'write' });
      const reader = host.startTask({ ...BACKUP, type: 'reader', access: 'read', seconds: null });
      expect(refused.status).toBe("datastore 'tank' is unavailable: read-only maintenance mode: patching");
      expect(host.running()).toEqual([reader, before]);
      tank.maintenance = 'offline';
      expect(host.startTask({ ...BACKUP, type: 'reader', access: 'read' }).status).toMatch(/offline/);
      tank.maintenance = null;
      expect(host.startTask({ ...BACKUP, access: 'write' }).status).toBeNull();
    }));

  it.concurrent('turns a backup away that comes during a patch, which harms none and frees it again', ({
    expect,
  }) =>
    withLab({ factor: 100 }, async (lab) => {
      const host = lab.hosts.get('pbs01');
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'upgrade-started')
          host?.startTask({ ...BACKUP, access: 'write', seconds: null });
      });
      const args = ['patch', '--host', 'pbs01', '--config', lab.configPath];
      const { document } = await pbsCtlJson<RunDocument>(args);
      expect(document.outcome).toBe('patched');
      expect(eventsOf(lab, 'refused')).toHaveLength(1);
      expect(eventsOf(lab, 'harmed')).toEqual([]);
      expect(host?.startTask({ ...BACKUP, access: 'write' }).status).toBeNull();
    }));
});
