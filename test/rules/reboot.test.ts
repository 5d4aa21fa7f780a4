import { describe, expect, it } from 'vitest';
import { rebootDecision } from '../../src/rules/reboot.js';

const nothing = { upgraded: [], installed: [], removed: [], held: [] };
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
    const kernels = { running: OLD, installed, required };
    expect(rebootDecision(mode, { changes, owesReboot: owes }, kernels).reboot).toBe(reboot);
  });
});
