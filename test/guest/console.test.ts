import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { type ConsoleShot, readable } from '../../src/guest/console.js';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { everythingIn, withLab } from '../support/lab.js';

const args = ({ configPath }: Lab, ...more: string[]) => [
  'recover',
  '--host',
  'pbs01',
  '--config',
  configPath,
  ...more,
];
/** Of a host on which something is wrong, since nobody has to see the screen of one that is well. */
async function shotOf(lab: Lab): Promise<ConsoleShot> {
  const [datastore] = lab.hosts.get('pbs01')?.datastores ?? [];
  if (!datastore) throw new Error('the lab has no datastore');
  datastore.maintenance = 'offline';
  return (await pbsCtlJson<{ console: ConsoleShot }>(args(lab))).document.console;
}
const mayLook = ({ cluster }: Lab) => cluster.access.grant('/vms/900', ['VM.Console']);
const configOf = ({ cluster }: Lab) => cluster.guests.get(900)?.config ?? {};

/** Bright pixels of a PNG file, as a share of all. */
function brightIn(file: string): { size: string; share: number } {
  const { width, height, data } = PNG.sync.read(readFileSync(file));
  const bright = data.filter((value, index) => index % 4 === 0 && value > 100).length;
  return { size: `${width}x${height}`, share: bright / (width * height) };
}

describe('the picture of the console', () => {
  it.concurrent.for([
    '9.2',
    '8.4',
  ] as const)('a failed patch keeps what is on the screen, in the folder of the run: PVE %s', (pve, {
    expect,
  }) =>
    withLab({ scenario: 'never-comes-back', pve }, async (lab) => {
      mayLook(lab);
      const { document, stdout, stderr } = await pbsCtlJson<RunDocument>([
        'patch',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect(document.outcome).toBe('failed');
      const file = document.screen?.file ?? '';
      expect(dirname(file)).toBe(`${lab.dir}/state/runs/${document.runId}`);
      expect(statSync(file).mode & 0o077).toBe(0);
      const { size, share } = brightIn(file);
      expect(size).toBe('640x400');
      expect(share).toBeGreaterThan(0.01);
      for (const secret of [...lab.secrets, 'PVEVNC'])
        expect(`${stdout}${stderr}${everythingIn(`${lab.dir}/state`)}`).not.toContain(secret);
    }));

  it.concurrent('is named by recover beside the address of the console, and left out for a healthy host', ({
    expect,
  }) =>
    withLab({ scenario: 'never-comes-back' }, async (lab) => {
      mayLook(lab);
      expect((await pbsCtlJson<{ console: null }>(args(lab))).document.console).toBeNull();
      await pbsCtl(['patch', '--host', 'pbs01', '--config', lab.configPath]);
      const { code, stdout } = await pbsCtl(args(lab));
      expect(code).toBe(1);
      expect(stdout).toMatch(/console {6}https:\/\/.*console=kvm/);
      expect(stdout).toMatch(/screen {7}\/.*\/runs\/\w+\/console-\d{8}T\d{6}Z\.png/);
    }));

  it.concurrent('needs one privilege more, and says which, with the command that grants it', ({ expect }) =>
    withLab({}, async (lab) => {
      const shot = await shotOf(lab);
      expect(shot).toMatchObject({ file: null, error: { code: 'api.forbidden' } });
      expect(shot.error?.message).toContain('VM.Console on /vms/900');
      expect(shot.error?.hint).toContain('pveum');
    }));

  it.concurrent('PVE 46: goes through another node where the first is away, ticket and websocket through the same', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      mayLook(lab);
      lab.cluster.servers[0]?.goDark('refuse');
      expect(await shotOf(lab)).toMatchObject({ kind: 'picture', error: null });
      const asked = lab.record.requests.filter(({ path }) => /vnc/.test(path));
      expect(asked.map(({ server, status }) => [server, status])).toEqual([
        ['pve2', 200],
        ['pve2', 101],
      ]);
    }));

  it.concurrent.for([
    { pve: '9.2', kind: 'text', because: 'a token may read it' },
    { pve: '8.4', kind: 'picture', because: 'only the drawn one takes a token' },
  ] as const)('PVE 47: of a serial display is $kind with PVE $pve: $because', ({ pve, kind }, { expect }) =>
    withLab({ pve }, async (lab) => {
      mayLook(lab);
      Object.assign(configOf(lab), { vga: 'serial0', serial0: 'socket' });
      const shot = await shotOf(lab);
      expect(shot).toMatchObject({ kind, error: null });
      if (kind === 'text') expect(readFileSync(shot.file ?? '', 'utf8')).toContain('pbs01 login:');
    }));

  it.concurrent('of a VM that cannot be shown is none, and says why', ({ expect }) =>
    // Before PVE 9 a token may not read a text console at all.
    withLab({ pve: '9.2' }, async (lab) => {
      mayLook(lab);
      configOf(lab).vga = 'none';
      expect((await shotOf(lab)).error).toMatchObject({
        code: 'console.none',
        message: 'VM 900 has neither a display nor a serial console.',
      });
      configOf(lab).serial0 = 'socket';
      const machine = lab.hosts.get('pbs01')?.machine;
      if (!machine) throw new Error('the lab has no pbs01');
      machine.screen = () => [];
      expect(await shotOf(lab)).toMatchObject({
        kind: 'text',
        file: null,
        note: expect.stringContaining('printed nothing'),
      });
      delete configOf(lab).vga;
      expect(await shotOf(lab)).toMatchObject({
        kind: 'picture',
        note: expect.stringContaining('one colour'),
      });
      machine.power = 'stopped';
      expect((await shotOf(lab)).error).toMatchObject({ code: 'console.stopped' });
    }));
});

describe('what a serial console has printed', () => {
  it.each`
    output                                                        | text                    | because
    ${'starting serial terminal on interface serial0\r\nlogin: '} | ${'login:'}             | ${'the first line is of PVE'}
    ${'\u001b[1;31mFAILED\u001b[0m to mount\r\n'}                 | ${'FAILED to mount'}    | ${'colours are left out'}
    ${'Progress 10%\rProgress 90%\r\ndone'}                       | ${'Progress 90%\ndone'} | ${'a line that is overwritten counts in its last state'}
    ${'a\u0007b\u009b31m\u202e'}                                  | ${'ab'}                 | ${'nothing in it may do anything to a terminal'}
    ${''}                                                         | ${''}                   | ${'it keeps nothing of before'}
  `('$because', ({ output, text }) => {
    expect(readable(output)).toBe(text);
  });

  it('is cut to its last lines', () => {
    const long = Array.from({ length: 500 }, (_, index) => `line ${index}`).join('\r\n');
    expect(readable(long).split('\n')).toHaveLength(60);
    expect(readable(long)).toMatch(/line 499$/);
  });
});
