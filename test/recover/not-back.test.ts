import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/recover/diagnose.js';
import { DARK, VM, vm, WELL } from './observed.js';

describe('a host that did not come back from its reboot', () => {
  const stepsOf = (observed: object) => {
    const { problem, steps } = diagnose({ ...WELL, ...observed });
    return {
      problem,
      texts: steps.map(({ text, command }) => `${text} ${command ?? ''}`),
      flags: steps.map(({ flag }) => flag),
    };
  };

  it('is not reset where it asks for a passphrase, which is to be typed', () => {
    const { problem, texts, flags } = stepsOf({
      ...DARK,
      passphrases: ['dm_crypt-0'],
    });
    expect(problem).toContain('It asks for the passphrase of dm_crypt-0 at its boot');
    expect(texts[0]).toMatch(/^Type it on its console\. A reset only makes it ask again\./);
    expect(flags).not.toContain('reset-vm');
  });

  it('has its config changed before it is started, where its VM ends at a reboot', () => {
    const troubles = [{ summary: 'VM 900 ends at a reboot', blocks: true, set: '--reboot 1' }];
    const { problem, texts, flags } = stepsOf({ ...DARK, ...vm({ status: 'stopped', troubles }) });
    expect(problem).toBe(`The VM of pbs01 (900 on ${VM.node}) is stopped: VM 900 ends at a reboot.`);
    expect(texts[0]).toBe('First change that, on pve1. qm set 900 --reboot 1');
    expect(flags).toEqual([null, 'start-vm']);
  });

  it('has its network looked at, not its services, where its address is gone', () => {
    const gone = 'none of its interfaces has 10.0.0.5, the address of its endpoint (it has: 10.0.0.9)';
    const { problem, texts, flags } = stepsOf({ proxy: 'silent', daemon: 'unknown', addressGone: gone });
    expect(problem).toBe(`The system of pbs01 is up, but cannot be reached: ${gone}.`);
    expect(texts[0]).toContain('ip -br address');
    expect(flags).not.toContain('restart-services');
  });
});
