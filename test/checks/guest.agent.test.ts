import { describe, expect, it } from 'vitest';
import { guestAgent } from '../../src/checks/guest.agent.js';
import { judge } from './judge.js';

describe('guest.agent', () => {
  const seen = (more: object = {}) => ({
    vmid: 900,
    node: 'pve1',
    cluster: 'main',
    major: 9,
    token: 'a@pve!b',
    configured: true,
    enabled: true,
    inUse: false,
    error: null,
    symptoms: [],
    agent: { version: '10.0.2', commands: new Map() },
    ...more,
  });
  const error = (code: string) => ({ error: { code, message: code, hint: 'h' } });
  it('passes where a command ran', () => expect(judge(guestAgent, seen()).status).toBe('pass'));
  it('warns of units that have failed, which is for verify to judge', () =>
    expect(judge(guestAgent, seen({ symptoms: ['failed: chrony.service'] })).status).toBe('warn'));
  it.each([
    ['not in the config', seen({ configured: false }), 'qm set 900 --agent 1'],
    ['switched off in the config', seen({ enabled: false }), 'qm set 900 --agent 1'],
    ['to be disabled by a pending change', seen({ enabled: false, inUse: true }), 'qm set 900 --agent 1'],
    ['not running', seen(error('agent.not-running')), 'apt install qemu-guest-agent'],
    ['forbidden to run commands', seen(error('agent.blocked')), 'guest-exec'],
    ['frozen', seen(error('agent.frozen')), 'fsfreeze-thaw'],
    ['in a VM that is stopped', seen(error('agent.vm-stopped')), 'qm start 900'],
    ['out of reach for the token on PVE 9', seen(error('api.forbidden')), 'VM.GuestAgent.Unrestricted'],
    ['out of reach for the token on PVE 8', seen({ ...error('api.forbidden'), major: 8 }), 'VM.Monitor'],
  ])('blocks for an agent that is %s, with a fix for that', (_, given, fix) => {
    const { status, detail, fixes } = judge(guestAgent, given);
    expect(status).toBe('block');
    expect(JSON.stringify({ hint: detail?.hint, fixes })).toContain(fix);
  });
});
