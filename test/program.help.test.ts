import { describe, expect, it } from 'vitest';
import { pbsCtl, pbsCtlJson } from './support/in-process.js';

/** Every command that completion knows, with those below it. */
async function commands(path: readonly string[] = []): Promise<string[][]> {
  const { stdout } = await pbsCtl(['complete', '--', ...path, '']);
  const names = stdout
    .split('\n')
    .flatMap((line) => (line.includes('\t') ? [line.split('\t')[0] ?? ''] : []));
  if (path.length > 0 && path[0] !== 'lock') return [[...path]];
  if (path.length === 2) return [[...path]];
  return (await Promise.all(names.map((name) => commands([...path, name])))).flat();
}

describe('help', () => {
  it('of every command has an example that begins with that command', async () => {
    const all = await commands();
    expect(all.length).toBeGreaterThan(18);
    for (const path of all) {
      const { code, stdout } = await pbsCtl([...path, '--help']);
      expect({ code, path }).toEqual({ code: 0, path });
      expect(stdout).toContain(`Examples:\n  pbs-ctl ${path.join(' ')}`);
    }
  });
});

describe('the reboot modes of --reboot', () => {
  it('are those of the config', async () => {
    const { stdout } = await pbsCtl(['complete', '--', 'patch', '--reboot', '']);
    const schema = await pbsCtlJson<{
      properties: { policy: { properties: { reboot: { enum: string[] } } } };
    }>(['schema']);
    expect(stdout.trim().split(/\s+/)).toEqual(schema.document.properties.policy.properties.reboot.enum);
  });
});

describe('a mistake', () => {
  it.each([
    [['help', 'ptach'], "unknown command 'ptach'"],
    [['ptach', '--help'], "unknown command 'ptach'"],
    [['patch', 'pbs01'], 'Name hosts with --host'],
    [['patch', '--all', '--host', 'pbs01'], "'--all' cannot be used with option '--host"],
  ])('%j is answered with what is wrong, not with help alone', async (args, words) => {
    const { code, stdout, stderr } = await pbsCtl(args);
    expect({ code, stdout, stderr }).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(words),
    });
  });

  it('has commands in its hint on lines of their own', async () => {
    const { stderr } = await pbsCtl(['demo', '--scenario', 'backup-runing']);
    expect(stderr).toContain('\n  Did you mean "backup-running"?\n  All of them:\n  pbs-ctl lab --list\n');
  });
});

describe('without a config', () => {
  it('is told how to create one', async () => {
    const { code, stderr } = await pbsCtl(['status', '--config', '/nonexistent/config.json']);
    expect(code).toBe(2);
    expect(stderr).toContain('The config /nonexistent/config.json cannot be read: it does not exist.\n');
    expect(stderr).toContain('\n  pbs-ctl init\n');
  });
});

describe('without a command', () => {
  it.each([[['--json']], [['lock', '--json']]])('%j says so in its document', async (args) => {
    const { code, document } = await pbsCtlJson(args);
    expect({ code, document }).toEqual({
      code: 2,
      document: { error: { code: 'usage', message: 'No command was named.', hint: 'See pbs-ctl --help.' } },
    });
  });

  it('is shown the help on stderr', async () => {
    const { code, stdout, stderr } = await pbsCtl(['lock']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: pbs-ctl lock');
  });
});
