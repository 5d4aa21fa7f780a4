import { describe, expect, it } from 'vitest';
import { scriptVersionIn, upgradeScript } from '../../src/guest/upgrade-script.js';
import { escapeForSystemd, readUnitState } from '../../src/guest/upgrade-unit.js';

const show = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');

describe('the unit of the upgrade', () => {
  it.each`
    load           | active        | sub          | code   | status   | kind           | because
    ${'loaded'}    | ${'active'}   | ${'running'} | ${'0'} | ${'0'}   | ${'running'}   | ${'its program still runs'}
    ${'loaded'}    | ${'active'}   | ${'exited'}  | ${'1'} | ${'0'}   | ${'succeeded'} | ${'it remains after its exit'}
    ${'not-found'} | ${'inactive'} | ${'dead'}    | ${'0'} | ${'0'}   | ${'gone'}      | ${'a unit that does not exist reads like a success'}
    ${'loaded'}    | ${'failed'}   | ${'failed'}  | ${'1'} | ${'100'} | ${'failed'}    | ${'apt failed'}
    ${'loaded'}    | ${'failed'}   | ${'failed'}  | ${'2'} | ${'9'}   | ${'failed'}    | ${'it was killed'}
    ${'loaded'}    | ${'active'}   | ${'exited'}  | ${'2'} | ${'15'}  | ${'failed'}    | ${'SIGTERM is a clean end for systemd, not for an upgrade'}
    ${'loaded'}    | ${'failed'}   | ${'failed'}  | ${'2'} | ${'15'}  | ${'failed'}    | ${'its time limit was over'}
  `('is $kind when $because', ({ load, active, sub, code, status, kind }) => {
    const text = show({
      ExecMainStatus: status,
      Result: 'success',
      LoadState: load,
      SubState: sub,
      ActiveState: active,
      ExecMainCode: code,
    });
    expect(readUnitState(text)?.kind).toBe(kind);
  });

  it('is not taken for gone when systemd says nothing, as during its own upgrade', () => {
    expect(readUnitState('')).toBeNull();
  });

  it('doubles every dollar sign, since systemd expands them', () => {
    expect(escapeForSystemd('echo $HOME $$')).toBe('echo $$HOME $$$$');
  });

  it('keeps the local configuration files, waits for the lock of dpkg and never removes a protected package', () => {
    const script = upgradeScript(
      {
        repairDpkg: true,
        cleanup: true,
        protectedPackages: ['lib+x', 'b'],
      },
      '/run/x',
    );
    expect(script).toContain('--force-confdef');
    expect(script).toContain('--force-confold');
    expect(script).toContain('DPkg::Lock::Timeout=60');
    expect(script).toContain('|lib[+]x|b)(:[a-z0-9]+)?');
    expect(script.indexOf('--configure -a')).toBeLessThan(script.indexOf('dist-upgrade'));
  });

  it.each`
    lines                                                                  | version | because
    ${['Nov 23 02:00:01 pbs01 sh[1]: pbs-ctl-begin 2', 'pbs-ctl-begin 3']} | ${3}    | ${'it ran last'}
    ${['pbs-ctl-begin']}                                                   | ${1}    | ${'the first named no version'}
    ${['Starting it']}                                                     | ${null} | ${'there is no script of ours'}
  `('runs a script of version $version: $because', ({ lines, version }) =>
    expect(scriptVersionIn(lines)).toBe(version),
  );
});
