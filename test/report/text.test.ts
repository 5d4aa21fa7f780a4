import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lockText, unknownLockText } from '../../src/commands/lock-show.js';
import { OUTCOMES } from '../../src/config/schema.js';
import { findingsText } from '../../src/report/findings-text.js';
import type { HostStatus } from '../../src/report/status-text.js';
import { statusText } from '../../src/report/status-text.js';
import { runText } from '../../src/report/text.js';
import { anyDocument, document, finding, HOSTILE, hostile, manyPackages, postponed } from './documents.js';

const lines = (doc = document(), columns = 80) => runText(doc, { color: false, columns }).split('\n');
const CONTROL = /\p{Cc}|\p{Cf}|[\u2028\u2029]/u;

describe('the report on a terminal', () => {
  it.each([80, 120])('is never wider than %i columns, whatever came of the run', (columns) => {
    fc.assert(
      fc.property(anyDocument, (doc) => {
        // A command is never broken, so that it can be copied.
        const tooWide = lines(doc, columns).filter((each) => each.length > columns);
        expect(tooWide.filter((each) => !each.includes('pbs-ctl '))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['patched', 'pbs01: patched'],
    ['postponed', 'pbs01: postponed, not safe now'],
    ['reboot-pending', 'pbs01: reboot pending, packages are installed'],
    ['unverified', 'pbs01: unverified: rebooted, but not as it was before'],
  ] as const)('of %s begins with host and outcome', (outcome, first) => {
    expect(lines(document({ outcome }))[0]).toBe(first);
  });

  it('lets nothing that a server said reach the terminal as a control sequence', () => {
    expect(lines(hostile()).join('')).not.toMatch(CONTROL);
  });

  it('is the same text with colour as without', () => {
    const coloured = runText(postponed(), { color: true, columns: 80 });
    expect(coloured).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(lines(postponed()).join('\n'));
  });

  it('shows a datastore that did not come back', () => {
    const tank = { name: 'tank', state: 'ok', total: 100, used: 40, available: 60 };
    const { before, after } = document();
    if (!before || !after) throw new Error('the document has both');
    const text = lines(
      document({
        outcome: 'unverified',
        before: { ...before, datastores: [tank, { ...tank, name: 'vault' }] },
        after: { ...after, datastores: [tank] },
      }),
    ).join('\n');
    expect(text).toMatch(/1 of 2 back, not back: vault/);
    expect(text).toMatch(/vault +NOT OK\n +missing/);
  });

  it('shows a screen of packages, and how many there are more', () => {
    const text = lines(document({ packages: manyPackages(1000) })).join('\n');
    expect(text).toContain('1000 upgraded');
    expect(text).toContain('and 970 more');
  });

  it('shows the plan of --check whole, since it is what was requested', () => {
    const text = lines(document({ mode: 'check', outcome: 'checked', packages: manyPackages(100) })).join(
      '\n',
    );
    expect(text).toContain('package-with-a-long-name-99');
    expect(text).toContain('f'.repeat(64));
  });

  it.each([
    ['patch', true, /packages +nothing changed/],
    ['patch', false, /packages +not known yet/],
    ['check', true, /packages +nothing to upgrade/],
    ['check', false, /packages +not looked at/],
  ] as const)('of mode "%s" tells packages that are unchanged from such as nobody has looked at (%s)', (mode, packagesKnown, words) => {
    expect(lines(document({ mode, packagesKnown, packages: manyPackages(0) })).join('\n')).toMatch(words);
  });

  it('says which check blocked, until when, and how often in a row', () => {
    const text = lines(
      postponed({
        retryAfter: '2026-11-23T05:00:00.000Z',
        postponements: { count: 2, since: '2026-11-20T00:00:00.000Z' },
      }),
    ).join('\n');
    expect(text).toMatch(/blocked by +pbs\.tasks: backup of tank:vm\/101 is running/);
    expect(text).toMatch(/safe from/);
    expect(text).toMatch(/postponed +3 times in a row, since 2026-11-/);
  });

  it.each(OUTCOMES)('of %s names one command at most twice over, alone on its line', (outcome) => {
    const commands = lines(document({ outcome, leftBehind: { fenced: ['tank'], locks: ['main'] } })).filter(
      (line) => line.trim().startsWith('pbs-ctl '),
    );
    expect(commands.length).toBeLessThanOrEqual(2);
    expect(commands.length === 0).toBe(outcome === 'patched');
    for (const command of commands)
      expect(command.trim()).toMatch(/^pbs-ctl [a-z]+ --host pbs01( --[a-z]+)?$/);
  });
});

describe('findings, status and lock on a terminal', () => {
  const status: HostStatus = {
    postponed: { count: 0, since: null, checks: [] },
    host: 'pbs01',
    reachable: true,
    version: '4.2.3-1',
    kernel: '6.17.4-1-pve',
    uptimeSeconds: 86_400,
    updates: 3,
    datastores: [
      {
        name: 'n'.repeat(32),
        state: 'ok',
        total: 2 ** 47,
        used: 2 ** 46 - 1,
        available: 1,
        maintenance: null,
      },
    ],
    updatesAsOf: null,
    run: null,
    owes: [],
    lastRun: null,
    nextSafe: null,
    tasks: [{ upid: 'UPID:x', type: 'backup', id: 'vm/101' }],
    lock: {
      cluster: 'main',
      owner: 'pbs02',
      run: 'aaaaaa',
      expiresAt: '2026-11-23T02:00:00.000Z',
      expired: false,
    },
    lockError: null,
    unknown: [],
    error: null,
  };
  const style = { color: false, columns: 80 };

  it('says whose fence a datastore is under, and not that it is "ok"; a lock that has expired is not held', () => {
    const maintenance = { type: 'read-only', run: 'k3f9x2' };
    const lock = status.lock && { ...status.lock, expired: true };
    const fenced = statusText(
      [
        {
          ...status,
          lock,
          datastores: [{ name: 'tank', state: 'ok', total: null, used: null, available: null, maintenance }],
          run: { id: 'k3f9x2', phase: 'verify', open: true },
          owes: ['fence', 'lock'],
        },
      ],
      style,
    );
    expect(fenced).toMatch(/tank {2}read-only, fence of run k3f9x2/);
    expect(fenced).not.toMatch(/\bok\b/);
    expect(fenced).toMatch(/cluster main: expired .*left by pbs02/);
    expect(fenced).toMatch(/k3f9x2 stopped in phase "verify"; the next patch continues it/);
    expect(fenced).toMatch(/owes +fence, lock/);
  });

  it.each([
    ['status', statusText([status], style)],
    [
      'status of a host that is not reachable',
      statusText(
        [{ ...status, reachable: false, error: { code: 'x', message: HOSTILE, hint: HOSTILE } }],
        style,
      ),
    ],
    [
      'findings',
      findingsText('pbs01', [finding({ summary: HOSTILE.repeat(5), detail: { hint: HOSTILE } })], {
        ...style,
        retryAfter: null,
      }),
    ],
    [
      'a lock',
      lockText(
        {
          ...{ cluster: 'main', held: true, owner: 'o', run: 'r', since: null, expiresAt: null },
          ...{ expired: true, remarks: [HOSTILE.repeat(5)] },
        },
        style,
      ),
    ],
    [
      'a lock that is not known',
      unknownLockText('main', { code: 'x', message: HOSTILE, hint: HOSTILE }, style),
    ],
  ])('%s keeps to 80 columns and draws nothing of its own', (_, text) => {
    expect(text.split('\n').filter((line) => line.length > 80 || CONTROL.test(line))).toEqual([]);
  });

  it('findings say how to go on only where nothing blocks', () => {
    const text = (checks: Parameters<typeof findingsText>[1]) =>
      findingsText('pbs01', checks, { ...style, retryAfter: null });
    expect(text([finding({ status: 'pass' })])).toContain('pbs-ctl patch --host pbs01 --check');
    expect(text([finding()])).not.toContain('--check');
  });

  it('findings with the same long words say them once, and once how to mend them', () => {
    const away = {
      summary: 'Cannot reach PBS "pbs01" (https://pbs01.example.net:8007): connection refused',
      detail: { hint: 'Check that the host is up.' },
    };
    const text = findingsText(
      'pbs01',
      [
        finding({ id: 'pbs.api', ...away }),
        finding({ id: 'pbs.jobs', ...away }),
        finding({ id: 'pbs.apt', summary: 'short' }),
        finding({ id: 'pbs.disk', summary: 'short' }),
      ],
      { ...style, retryAfter: null },
    );
    expect(text).toContain('block pbs.jobs  the same as pbs.api');
    expect(text.match(/host is up/g)).toHaveLength(1);
    expect(text.match(/short/g)).toHaveLength(2);
  });

  it('commands that mend are never broken, prose is', () => {
    const command = `pveum role add PbsCtlAudit -privs "${'Sys.Audit VM.Audit '.repeat(6)}"`;
    const text = (hint: string) =>
      findingsText('pbs01', [finding({ detail: { hint } })], { ...style, retryAfter: null }).split('\n');
    expect(text(command).some((line) => line.includes(command))).toBe(true);
    expect(text('Look at it. '.repeat(12)).every((line) => line.length <= 80)).toBe(true);
  });
});
