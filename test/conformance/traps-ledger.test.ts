import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/lab/scenario.js';
import { ELSEWHERE, ROWS } from './traps.js';

const TESTS = fileURLToPath(new URL('..', import.meta.url));
const TABLES = resolve(process.env.PBS_CTL_REFERENCE ?? '../shared/reference');
const tablesAreHere = existsSync(join(TABLES, 'pve-api.md'));

const TITLE = /['"`]P[VB][ES] \d+(?:, P[VB][ES] \d+)*(?=[:'"])/g;
/** Every "PVE 5" and "PBS 12" at the beginning of a test's name, or between its commas. */
const named = new Set(
  readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .map((file) => join(TESTS, file))
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('traps-ledger.test.ts'))
    .flatMap((path) => readFileSync(path, 'utf8').match(TITLE) ?? [])
    .flatMap((title) => title.match(/P[VB][ES] \d+/g) ?? []),
);
const rows = (product: 'pve' | 'pbs') =>
  Array.from({ length: ROWS[product] }, (_, index) => `${product.toUpperCase()} ${index + 1}`);

describe('every row of the tables of traps', () => {
  it.each([...rows('pve'), ...rows('pbs')])('%s has a test of its name, a scenario, or a reason', (row) => {
    expect(named.has(row) || row in ELSEWHERE).toBe(true);
  });
  it('that is left to a scenario has one', () => {
    const scenarios = Object.values(ELSEWHERE).flatMap((each) => ('scenario' in each ? [each.scenario] : []));
    expect(scenarios.filter((name) => !SCENARIOS.some((known) => known.name === name))).toEqual([]);
  });
  it.skipIf(!tablesAreHere)(
    `is counted (${tablesAreHere ? 'tables found' : `no tables in ${TABLES}`})`,
    () => {
      const table = (file: string, heading: RegExp) => {
        const text = readFileSync(join(TABLES, file), 'utf8');
        const [, section = ''] = text.split(heading);
        return (section.split(/^## /m)[0] ?? '').split('\n').filter((line) => /^\|/.test(line)).length - 2;
      };
      expect(table('pve-api.md', /^## 8\. Trap.*$/m)).toBe(ROWS.pve);
      expect(table('pbs-api.md', /^## 7\. Traps.*$/m)).toBe(ROWS.pbs);
    },
  );
});
