import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, Fault, Outdated } from '../src/fault.js';
import { outcomeOf } from '../src/rules/outcome.js';

const SRC = new URL('../src/', import.meta.url).pathname;

/** What a code of ours looks like where it is compared: `'api.refused'`, `'not-safe'`. */
const CODE = /'[a-z]+[.-][a-z.-]+'/;
/** A comparison of `code`, a set or list asked for it, a pattern tried on it, a table read by it. */
const DECIDES = [
  /\.code\s*[!=]==\s*'/,
  /\bcode\s*[!=]==\s*'/,
  /\.(?:has|includes)\([^()]*\.code\b/,
  /\.code\b[^\n]*\.(?:startsWith|endsWith|match)\(/,
  /\.test\([^()]*\.code\b/,
];
/** Codes that are not ours, or a document of which nothing but the code is left. */
const MAY = [
  // Node's and commander's.
  /ErrnoException/,
  /commander/,
  // zod's
  /issue\.code/,
  // an exit code that systemd reports
  /code [!=]== '1'/,
];
/** They have a document before them, which has nothing but the code, and choose words and fixes by it. */
const TELLS = /^(?:report\/|recover\/(?:text|layers)\.ts$|checks\/guest\.agent\.ts$)/;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('lab/') && !TELLS.test(path))
  .sort();

describe('the kind of a fault', () => {
  it('decides, and never its code: no set, comparison or pattern of codes', () => {
    const found = files.flatMap((path) =>
      readFileSync(join(SRC, path), 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          DECIDES.some((each) => each.test(line)) && !MAY.some((each) => each.test(line))
            ? [`${path}:${index + 1} ${line.trim()}`]
            : [],
        ),
    );
    expect(found).toEqual([]);
  });

  it('is set where it is thrown: no set of codes stands ready for a decision', () => {
    const sets = files.flatMap((path) =>
      [...readFileSync(join(SRC, path), 'utf8').matchAll(/new Set(?:<string>)?\(\[([^\]]*)\]\)/g)]
        .map(([, list = '']) => list)
        .filter(
          (list) =>
            /'(?:api|net|agent|pve|pbs|lock|outcome|upgrade|reboot)\.[a-z-]+'/.test(list) && CODE.test(list),
        )
        .filter(() => !path.startsWith('checks/'))
        .map((list) => `${path}: ${list.trim()}`),
    );
    expect(sets).toEqual([]);
  });

  it.each`
    fault                                                  | kind         | exitCode | outcome          | because
    ${new Fault('x', 'y')}                                 | ${'refused'} | ${1}     | ${'failed'}      | ${'a person has to act'}
    ${new Fault('x', 'y', { kind: 'passing' })}            | ${'passing'} | ${75}    | ${'postponed'}   | ${'the same may be tried again'}
    ${new Fault('x', 'y', { kind: 'unknown' })}            | ${'unknown'} | ${1}     | ${'failed'}      | ${'it may have arrived'}
    ${new Fault('x', 'y', { kind: 'later' })}              | ${'later'}   | ${75}    | ${'postponed'}   | ${'it is not the time'}
    ${new Fault('x', 'y', { exitCode: EXIT.tryLater })}    | ${'later'}   | ${75}    | ${'postponed'}   | ${'its exit code says so'}
    ${new Fault('x', 'y', { exitCode: EXIT.interrupted })} | ${'refused'} | ${130}   | ${'interrupted'} | ${'a signal came'}
    ${new Outdated('x', 'y')}                              | ${'passing'} | ${75}    | ${'postponed'}   | ${'another was faster'}
  `('$kind: exit $exitCode, $outcome, since $because', ({ fault, kind, exitCode, outcome }) => {
    expect({ kind: fault.kind, exitCode: fault.exitCode, outcome: outcomeOf(fault) }).toEqual({
      kind,
      exitCode,
      outcome,
    });
  });
});
