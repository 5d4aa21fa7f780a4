import { describe, expect, it } from 'vitest';
import type { Boot } from '../../src/journal/records.js';
import { isRolledBack } from '../../src/rules/rolled-back.js';

const boot = (bootId: string | null, bootTime = 1000): Boot => ({ bootId, bootTime });
const NONE = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
const PBS = { name: 'proxmox-backup-server', from: '4.1', to: '4.2' };
const KERNEL = { name: 'proxmox-kernel-6.17.4-1-pve-signed', to: '6.17.4-1' };
const DONE = { ...NONE, upgraded: [PBS], installed: [KERNEL] };
const OLD = new Map([[PBS.name, '4.1']]);

describe('a machine was rolled back', () => {
  it.each`
    changes | before       | after               | now                 | installed                                       | rolledBack | because
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${OLD}                                          | ${true}    | ${'it has booted again, and nothing of the run is there'}
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('a')}        | ${OLD}                                          | ${true}    | ${'a snapshot with memory is the boot of before'}
    ${DONE} | ${boot('a')} | ${null}             | ${boot('c')}        | ${OLD}                                          | ${true}    | ${'its boot was never seen, and this is another than before'}
    ${DONE} | ${boot('a')} | ${null}             | ${boot('a')}        | ${OLD}                                          | ${false}   | ${'it has not booted since'}
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('b')}        | ${OLD}                                          | ${false}   | ${'a person has taken the packages back by hand'}
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${new Map([[PBS.name, '4.2']])}                 | ${false}   | ${'PBS is the new one'}
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${new Map([...OLD, [KERNEL.name, '6.17.4-1']])} | ${false}   | ${'the new kernel is there'}
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${new Map([[PBS.name, '4.0']])}                 | ${true}    | ${'an older snapshot has an older version still'}
    ${DONE} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${new Map()}                                    | ${false}   | ${'no version is known'}
    ${NONE} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${OLD}                                          | ${false}   | ${'the run has changed nothing'}
    ${null} | ${boot('a')} | ${boot('b')}        | ${boot('c')}        | ${OLD}                                          | ${false}   | ${'what it has changed is not known'}
    ${DONE} | ${null}      | ${null}             | ${boot('c')}        | ${OLD}                                          | ${false}   | ${'no boot of before is known'}
    ${DONE} | ${boot('a')} | ${boot(null, 5000)} | ${boot(null, 5030)} | ${OLD}                                          | ${false}   | ${'a clock was stepped within one boot'}
    ${DONE} | ${boot('a')} | ${boot(null, 5000)} | ${boot('c', 5031)}  | ${OLD}                                          | ${true}    | ${'without an id the boot time tells'}
  `('$rolledBack, since $because', ({ changes, before, after, now, installed, rolledBack }) => {
    const bootBefore = before && { boot: before, seenAt: '2026-11-23T02:00:00.000Z' };
    expect(isRolledBack({ changes, bootBefore, bootAfter: after }, { boot: now, installed })).toBe(
      rolledBack,
    );
  });
});
