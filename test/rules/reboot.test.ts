import { describe, expect, it } from 'vitest';
import { rebootDecision } from '../../src/rules/reboot.js';

const nothing = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
const upgraded = (name: string) => ({ ...nothing, upgraded: [{ name, from: '1', to: '2' }] });
const OLD = '6.14.8-2-pve';
const NEW = '6.17.4-1-pve';

describe('the decision to reboot', () => {
  it.each`
    mode               | changes              | owes     | installed     | required | reboot   | because
    ${'never'}         | ${upgraded('libc6')} | ${true}  | ${[OLD, NEW]} | ${true}  | ${false} | ${'the policy says never'}
    ${'always'}        | ${nothing}           | ${false} | ${[OLD]}      | ${false} | ${true}  | ${'the policy says always'}
    ${'after-upgrade'} | ${nothing}           | ${false} | ${[OLD, NEW]} | ${true}  | ${false} | ${'nothing was upgraded'}
    ${'after-upgrade'} | ${upgraded('vim')}   | ${false} | ${[OLD]}      | ${false} | ${true}  | ${'something was'}
    ${'after-upgrade'} | ${nothing}           | ${true}  | ${[OLD]}      | ${false} | ${true}  | ${'an earlier run owes a reboot'}
    ${'when-required'} | ${upgraded('vim')}   | ${false} | ${[OLD]}      | ${false} | ${false} | ${'an editor needs none'}
    ${'when-required'} | ${nothing}           | ${false} | ${[NEW, OLD]} | ${false} | ${true}  | ${'a newer kernel is installed'}
    ${'when-required'} | ${nothing}           | ${false} | ${[OLD]}      | ${true}  | ${true}  | ${'the guest says so'}
    ${'when-required'} | ${upgraded('libc6')} | ${false} | ${[OLD]}      | ${false} | ${true}  | ${'everything uses libc'}
    ${'when-required'} | ${nothing}           | ${true}  | ${[OLD]}      | ${false} | ${true}  | ${'an earlier run owes a reboot'}
  `('with "$mode" is $reboot when $because', ({ mode, changes, owes, installed, required, reboot }) => {
    const kernels = { running: OLD, installed, pinned: null, required };
    expect(rebootDecision(mode, { changes, owesReboot: owes }, kernels).reboot).toBe(reboot);
  });

  it.each`
    pinned  | reboot   | because
    ${OLD}  | ${false} | ${'the older kernel is pinned, so a boot changes nothing'}
    ${NEW}  | ${true}  | ${'the newer one is pinned and does not run'}
    ${null} | ${true}  | ${'none is pinned'}
  `('for a newer kernel is $reboot when $because', ({ pinned, reboot }) => {
    const pin = pinned === null ? null : { kernel: pinned, file: '/etc/kernel/proxmox-boot-pin' };
    const kernels = { running: OLD, installed: [OLD, NEW], pinned: pin, required: false };
    expect(rebootDecision('when-required', { changes: nothing, owesReboot: false }, kernels).reboot).toBe(
      reboot,
    );
  });

  it.each([
    'libc6',
    'libssl3t64',
    'openssl',
    'systemd',
    'dbus',
    'zfsutils-linux',
    'libstdc++6',
    'intel-microcode',
  ])('is that an upgraded %s needs one', (name) => {
    const kernels = { running: OLD, installed: [OLD], pinned: null, required: false };
    const decision = rebootDecision('when-required', { changes: upgraded(name), owesReboot: false }, kernels);
    expect(decision).toMatchObject({ reboot: true, why: expect.stringContaining(name) });
  });
});
