import { describe, expect, it } from 'vitest';
import { guestVm } from '../../src/checks/guest.vm.js';
import { judge } from './judge.js';

describe('guest.vm', () => {
  const seen = (more: object = {}) => ({
    status: 'running',
    qmpStatus: 'running',
    lock: null,
    tasks: [],
    node: 'pve1',
    ...more,
  });
  it.each([
    ['runs', seen(), 'pass'],
    ['is stopped', seen({ status: 'stopped' }), 'block'],
    ['is paused under a running process', seen({ qmpStatus: 'paused' }), 'block'],
    ['is locked by a backup', seen({ lock: 'backup' }), 'block'],
    ['is moving', seen({ tasks: [{ type: 'qmigrate', node: 'pve1', user: 'x' }] }), 'block'],
    ['has a console open', seen({ tasks: [{ type: 'vncproxy', node: 'pve1', user: 'x' }] }), 'pass'],
  ])('judges one that %s', (_, given, status) => expect(judge(guestVm, given).status).toBe(status));
});
