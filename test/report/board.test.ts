import { expect, it } from 'vitest';
import { advance, drawRow, emptyBoard } from '../../src/report/board.js';
import type { Progress } from '../../src/report/events.js';

const host = 'pbs01';
const told: Progress[] = [
  { event: 'phase', host, phase: 'preflight', status: 'done', text: 'nothing blocks' },
  {
    event: 'check',
    host,
    id: 'pbs.jobs',
    status: 'warn',
    summary: 'a verify is due',
    retryAfter: null,
  },
  { event: 'phase', host, phase: 'upgrade', status: 'started', text: '' },
  {
    event: 'step',
    host,
    label: 'upgrade',
    percent: 45,
    text: 'Unpacking a package with a very long name indeed, and more',
  },
];

it('a run beside others takes one line that is no wider than the terminal', () => {
  const board = told.reduce((drawn, each) => advance(drawn, each, 0), emptyBoard(host));
  for (const columns of [60, 80, 120]) {
    const row = drawRow(board, { color: false, columns, now: 90_000, tick: 0 });
    expect(row).toMatch(/^pbs01 +⠋ upgrade +45 % Unpack.* {2}1m ?30s ▲ 1$/);
    expect(row.length).toBeLessThanOrEqual(columns);
  }
});
