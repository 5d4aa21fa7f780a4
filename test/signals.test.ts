import { describe, it } from 'vitest';
import * as aProcess from './support/command.js';
import { type Running, readJson } from './support/command.js';
import { pbsCtl, start } from './support/in-process.js';
import { carrierTags, eventsOf, until, withLab } from './support/lab.js';

interface Answer {
  readonly error: { readonly code: string; readonly message: string };
}

describe('a signal', () => {
  it.concurrent.for([
    ['preflight', 'SIGINT', aProcess.start],
    ['windows', 'SIGHUP', aProcess.start],
    ['status', 'SIGTERM', aProcess.start],
    ['recover', 'SIGTERM', start],
  ] as const)('ends %s that waits for a server 130 at %s, with one document', ([command, signal, started], {
    expect,
  }) =>
    withLab({}, async (lab) => {
      let asked = false;
      lab.setWeather(() => {
        asked = true;
        return { kind: 'swallowed' };
      });
      const running = started([command, '--host', 'pbs01', '--json', '--config', lab.configPath]);
      await until('a request', () => asked);
      running.kill(signal);
      const { code, document, stderr } = await readJson<Answer>(running.ended);
      expect({ code, stderr, error: document.error }).toMatchObject({
        code: 130,
        stderr: '',
        error: { code: 'interrupted', message: expect.stringContaining(signal) },
      });
    }));

  it.concurrent('goes to stderr where no document was requested', ({ expect }) =>
    withLab({}, async (lab) => {
      let asked = false;
      lab.setWeather(() => {
        asked = true;
        return { kind: 'swallowed' };
      });
      const running = start(['verify', '--host', 'pbs01', '--config', lab.configPath]);
      await until('a request', () => asked);
      running.kill('SIGTERM');
      const { code, stdout, stderr } = await running.ended;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(/^pbs-ctl: Interrupted by SIGTERM/);
    }));

  it.concurrent.for(['acquire', 'hold'])('ends lock %s while it waits for another', (verb, { expect }) =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const before = carrierTags(lab);
      const running = start([
        ...['lock', verb, '--owner', 'second', '--wait', '60s', '--json', '--config', lab.configPath],
        ...(verb === 'hold' ? ['--', 'echo', 'started'] : []),
      ]);
      await until('two looks at the tags', () => lab.record.requests.length > 8);
      running.kill('SIGTERM');
      const { code, document } = await readJson<Answer>(running.ended);
      expect({ code, error: document.error.code }).toEqual({ code: 130, error: 'interrupted' });
      expect(carrierTags(lab)).toBe(before);
    }));

  it.concurrent.for([
    'acquire',
    'hold',
  ])('that meets lock %s as it takes the lock leaves none behind', (verb, { expect }) =>
    withLab({}, async (lab) => {
      let running: Running | null = null;
      let written = 0;
      lab.setWeather(({ method, path }) => {
        if (method !== 'PUT' || !path.endsWith('/qemu/900/config')) return null;
        written += 1;
        if (written > 1) return null;
        running?.kill('SIGINT');
        return { kind: 'late', ms: 500 };
      });
      running = start([
        ...['lock', verb, '--owner', 'first', '--json', '--config', lab.configPath],
        ...(verb === 'hold' ? ['--', 'echo', 'started'] : []),
      ]);
      const { code, document } = await readJson<Answer>(running.ended);
      expect({ code, error: document.error.code }).toEqual({ code: 130, error: 'interrupted' });
      expect(eventsOf(lab, 'lock-tag-set')).not.toEqual([]);
      expect(carrierTags(lab)).toBe('pbs');
      expect((await pbsCtl(['lock', 'show', '--config', lab.configPath])).stdout).toContain('free');
    }));

  it('is how the lab is meant to end', async ({ expect }) => {
    const running = aProcess.start(['lab']);
    await running.says('The lab is up');
    running.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
  });
});
