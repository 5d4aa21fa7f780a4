import { describe, expect, it } from 'vitest';
import { painter, type Row, table, wrap } from '../../src/report/layout.js';

const drawn = (rows: readonly Row[], columns = 40, more = {}) =>
  table(rows, { paint: painter(false), columns, ...more }).flat();

describe('a table', () => {
  it('has columns as wide as their widest cell, and no spaces at the end of a line', () => {
    expect(drawn([{ cells: ['a', 'run'] }, { cells: ['pbs01', { text: 'x', tone: 'bad' }] }])).toEqual([
      'a     run',
      'pbs01 x',
    ]);
  });

  it('continues its last column below its beginning, for the width that is left', () => {
    const rest = (width: number) => wrap('one two three four', width);
    expect(drawn([{ cells: ['pass', 'id'], rest }], 34, { indent: 2, least: [5] })).toEqual([
      '  pass  id  one two three four',
    ]);
    expect(drawn([{ cells: ['a'.repeat(30)], rest: () => ['one', 'two'] }])).toEqual([
      `${'a'.repeat(30)}  one`,
      `${' '.repeat(32)}two`,
    ]);
  });

  it('leaves the last column 24 letters, however wide the others are', () => {
    expect(drawn([{ cells: ['a'.repeat(39)], rest: (width) => [String(width)] }])[0]).toMatch(/ 24$/);
  });
});
