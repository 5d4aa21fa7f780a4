import { describe, expect, it } from 'vitest';
import { PveError } from '../src/lab/pve/server.js';
import { oneLine, printable } from '../src/printable.js';
import { pbsCtl } from './support/in-process.js';
import { withLab } from './support/lab.js';

describe('what a command prints', () => {
  it.each`
    text                                                | printed                       | because
    ${'two\nlines\tand a tab\n'}                        | ${'two\nlines\tand a tab\n'}  | ${'lines are ours: a server’s are gone before'}
    ${'\u001b[32mgood\u001b[39m'}                       | ${'\u001b[32mgood\u001b[39m'} | ${'these are the colours that we use'}
    ${'\u001b[8mhidden\u001b[28m'}                      | ${'hidden'}                   | ${'a server can hide nothing'}
    ${'\u001b[2J\u001b[1;1Hpbs01'}                      | ${'pbs01'}                    | ${'nor wipe the screen'}
    ${'\u001b]0;title\u0007x'}                          | ${'x'}                        | ${'nor name the window'}
    ${'\u001b]8;;http://q\u001b\\link\u001b]8;;\u0007'} | ${'link'}                     | ${'nor make a link that leads elsewhere'}
    ${'a\u009b31mb\u0085c\u0090d'}                      | ${'ab c d'}                   | ${'the second set of controls does the same'}
    ${'a\u202eb\u2066c\u200bd'}                         | ${'a b c d'}                  | ${'nor turn the direction of writing'}
    ${'a\rb'}                                           | ${'a b'}                      | ${'nor write over what stands there'}
  `('$text: $because', ({ text, printed }) => expect(printable(text)).toBe(printed));

  it('escapes them in a JSON document, which says what the server said', () => {
    const document = { text: 'a\u001b[31m\u009b\u202e\u2028\u{e0001}b' };
    const text = printable(`${JSON.stringify(document, null, 2)}\n`);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(text)).toEqual(document);
  });

  it('makes one line of a text that has several', () =>
    expect(oneLine('task\npbs01: patched\r\n\u2028x\u0085y')).toBe('task pbs01: patched x y'));

  const EVIL = '\u001b]0;owned\u0007\u009b2J\u202e\npbs01: patched\r\u2028pbs01: patched\u001b[8m';
  const COMMANDS = [
    ['preflight', '--host', 'pbs01', '--verbose'],
    ['patch', '--host', 'pbs01', '--check', '--verbose'],
    ['patch', '--host', 'pbs01', '--wait', '1s'],
    ['windows', '--host', 'pbs01'],
    ['status'],
    ['verify', '--host', 'pbs01'],
    ['recover', '--host', 'pbs01'],
    ['doctor'],
    ['lock', 'show'],
    ['lock', 'acquire', '--owner', 'x'],
    ['lock', 'break', '--yes'],
  ];

  it('is the same lines whatever a server puts into its texts: no control reaches a pipe, and no line is forged', () =>
    withLab({}, async (lab) => {
      const pbs = lab.hosts.get('pbs01');
      if (!pbs) throw new Error('no pbs01');
      const fields =
        /^(comment|worker_id|user|id|schedule|job-id|store|description|notes|name|guest|lock|version)$/;
      const spoil = (answer: unknown): unknown => {
        if (Array.isArray(answer)) return answer.map(spoil);
        if (typeof answer !== 'object' || answer === null) return answer;
        return Object.fromEntries(
          Object.entries(answer).map(([key, value]) =>
            typeof value === 'string' && fields.test(key) ? [key, `${value}${EVIL}`] : [key, spoil(value)],
          ),
        );
      };
      for (const { routes } of [pbs, lab.cluster] as unknown as Array<{ routes: Route[] }>) {
        for (const route of routes) {
          const { handle } = route;
          if (route.method === 'GET') route.handle = async (call) => spoil(await handle(call));
        }
        const broken = routes.find(({ path }) => /\/(apt\/versions|replication)$/.test(path));
        if (broken)
          broken.handle = () => {
            throw new PveError(EVIL, 400);
          };
      }
      const carrier = lab.cluster.guests.get(900);
      if (carrier) carrier.config.tags = `pbs-ctl-lock+x${EVIL}`;
      const seen: string[] = [];
      for (const command of COMMANDS) {
        const { stdout, stderr } = await pbsCtl([...command, '--config', lab.configPath]);
        seen.push(stdout, stderr);
        expect({ command, text: `${stdout}${stderr}`.replaceAll('\n', '') }).not.toMatchObject({
          text: expect.stringMatching(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u),
        });
        const forged = `${stdout}${stderr}`.split('\n').filter((line) => /^ {0,4}pbs01: patched/.test(line));
        expect({ command, forged }).toEqual({ command, forged: [] });
      }
      expect(seen.join('')).toContain('pbs01: patched');
    }));
});

interface Route {
  readonly method: string;
  readonly path: string;
  handle(call: unknown): unknown;
}
