import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { GuestMachine } from '../../src/lab/guest-machine.js';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, fences, withScenario } from '../support/lab.js';

const patch = (configPath: string, ...more: string[]) =>
  pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', configPath, ...more]);

const warnedOf = ({ checks }: RunDocument) =>
  Object.fromEntries(
    checks.flatMap(({ id, status, summary }) =>
      status === 'warn' && id.startsWith('verify.') ? [[id, summary]] : [],
    ),
  );

/** The boot loader starts the old kernel again. */
function keepKernel(lab: Pick<Lab<GuestMachine>, 'hosts'>): GuestMachine & { runningKernel: string } {
  const machine = lab.hosts.get('pbs01')?.machine as GuestMachine & { runningKernel: string };
  const old = machine.runningKernel;
  Object.defineProperty(machine, 'runningKernel', { get: () => old, set: () => {} });
  return machine;
}

describe('a finding of verify', () => {
  it.concurrent('about a unit that no backup needs, or a kernel that is pinned, is a warning, and the fence comes down', ({
    expect,
  }) =>
    withScenario(
      {
        policy: { rebootTimeout: '16s', stableFor: '1s' },
        machine: { boot: { failsUnits: ['fwupd-refresh.service'] } },
        arrange: (lab) => {
          const machine = keepKernel(lab);
          machine.writeFile('/etc/kernel/proxmox-boot-pin', `${machine.runningKernel}\n`);
        },
      },
      async (lab) => {
        const before = await pbsCtl(['preflight', '--host', 'pbs01', '--config', lab.configPath]);
        expect(before.stdout.replace(/\s+/g, ' ')).toMatch(
          /warn guest.packages .*kernel [\w.-]+ is pinned in \/etc\/kernel\/proxmox-boot-pin/,
        );
        const { code, document } = await patch(lab.configPath);
        expect({ code, fences: fences(lab), warned: warnedOf(document) }).toEqual({
          code: 0,
          fences: [],
          warned: {
            'verify.units': 'failed, and no backup rests on it: fwupd-refresh.service',
            'verify.kernel': expect.stringMatching(/pinned in \/etc\/kernel\/proxmox-boot-pin$/),
          },
        });
        const verified = await pbsCtl(['verify', '--host', 'pbs01', '--config', lab.configPath]);
        expect(verified.code).toBe(0);
      },
    ));

  it.concurrent('that a person answers for is a warning of this run, in its journal and in every report', ({
    expect,
  }) =>
    withScenario(
      {
        policy: { rebootTimeout: '16s', stableFor: '1s' },
        arrange: (lab) => void keepKernel(lab),
      },
      async (lab) => {
        const reason = 'older kernel on purpose, ticket 4711';
        const early = await patch(lab.configPath, '--accept', `verify.kernel=${reason}`);
        expect({ code: early.code, accepted: early.document.accepted }).toEqual({ code: 3, accepted: [] });
        expect(early.document.warnings).toContain(
          'verify.kernel is not accepted: nothing was found that needs it',
        );

        const { code, document } = await patch(
          lab.configPath,
          '--accept',
          `verify.kernel=${reason}`,
          '--accept',
          'verify.units=none failed',
        );
        expect({ code, runId: document.runId, accepted: document.accepted }).toEqual({
          code: 0,
          runId: early.document.runId,
          accepted: [{ id: 'verify.kernel', reason }],
        });
        expect(document.warnings).toContain('verify.units is not accepted: nothing was found that needs it');
        expect(document.checks.find(({ id }) => id === 'verify.kernel')).toMatchObject({ status: 'warn' });
        expect({
          fences: fences(lab),
          tags: carrierTags(lab),
          reboots: eventsOf(lab, 'reboot').length,
        }).toEqual({ fences: [], tags: 'pbs', reboots: 1 });
        const journal = readFileSync(join(lab.dir, 'state', 'runs', document.runId, 'journal.jsonl'), 'utf8');
        expect(journal).toContain(reason);
        for (const format of ['text', 'slack', 'html', 'markdown']) {
          const { stdout } = await pbsCtl(['report', 'last', '--format', format, '--config', lab.configPath]);
          expect(stdout.replace(/\s+/g, ' '), format).toContain(reason);
        }
      },
    ));
});
