import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/document.js';
import { diagnose } from '../../src/recover/diagnose.js';
import type { ObservedHost } from '../../src/recover/observed.js';
import { VERIFY_IDS } from '../../src/rules/accept.js';
import type { Resumption } from '../../src/rules/resume.js';
import { DARK, FENCED, INSIDE, inside, LOCK, RESUMES, vm, WELL } from './observed.js';

// The table of docs/troubleshooting.md: what stopped a run, what recover says, what ends it.

const SICK = { diskErrors: [{ device: 'sdb1', ofFileSystem: true, line: 'EXT4-fs error' }] };
const HALF = { audit: 'The following packages are only half configured' };
const STOPPED = { ...FENCED, locks: [LOCK], unfinishedRun: 'k3f9x2' };
const resumption = (kind: Resumption['kind'], words: string): Partial<ObservedHost> => ({
  resumption: { kind, why: words, means: words, passes: true } as Resumption,
});
const failing = (id: string): Partial<ObservedHost> => ({
  ...resumption('blocked', 'it does not pass verification'),
  verification: {
    ok: false,
    findings: [{ id, status: 'block', summary: 'x', detail: {}, retryAfter: null } as Finding],
  },
});
const GONE = { missingMounts: ['/mnt/tank'], mounts: INSIDE.mounts.slice(0, 1) };

/** By the beginning of the first column; `says`: what has to be among the steps or in the problem. */
const ROWS: Readonly<Record<string, { seen: Partial<ObservedHost>; says: RegExp }>> = {
  'verify.datastores': { seen: failing('verify.datastores'), says: /lsblk -f/ },
  'verify.mounts': { seen: { ...failing('verify.mounts'), ...inside(GONE) }, says: /--mount/ },
  'verify.services': { seen: failing('verify.services'), says: /--restart-services/ },
  'verify.units': { seen: failing('verify.units'), says: /--restart-services/ },
  'verify.packages': {
    seen: { ...failing('verify.packages'), ...inside(HALF) },
    says: /--repair-packages/,
  },
  'verify.kernel': { seen: failing('verify.kernel'), says: /proxmox-boot-tool kernel list/ },
  'verify.inventory': { seen: failing('verify.inventory'), says: /findmnt/ },
  'verify.storages': { seen: failing('verify.storages'), says: /pvesm status/ },
  'verify.api': { seen: failing('verify.api'), says: /journal/ },
  'verify.clock': { seen: failing('verify.clock'), says: /chronyc tracking/ },
  'killed or interrupted before': {
    seen: resumption('resume', 'it checks everything again'),
    says: /Resume run k3f9x2: it checks everything again/,
  },
  'killed in the upgrade, which still runs': {
    seen: inside({ upgrading: ['k3f9x2'] }),
    says: /Wait\. Do not reset/,
  },
  'killed in the upgrade, which has ended': {
    seen: resumption('resume', 'it sees what became of its upgrade'),
    says: /Resume run k3f9x2: it sees/,
  },
  'the upgrade failed': {
    seen: { ...resumption('blocked', 'guest.packages'), ...inside(HALF) },
    says: /--repair-packages/,
  },
  'stopped between upgrade and reboot': {
    seen: resumption('resume', 'it reboots the host'),
    says: /Resume run k3f9x2: it reboots the host/,
  },
  'a check blocks': {
    seen: resumption('blocked', 'pve.backups: a backup runs'),
    says: /pve\.backups: a backup runs.*Once that is over/,
  },
  'a disk with errors': {
    seen: { ...resumption('blocked', 'pbs.disk'), ...inside(SICK) },
    says: /journalctl -k -p err/,
  },
  'its reboot was requested a moment ago': {
    seen: { ...DARK, ...resumption('wait', 'requested 8s ago, limit 20m') },
    says: /requested 8s ago, limit 20m/,
  },
  'its reboot was swallowed': { seen: resumption('swallowed', 'requested 8m ago'), says: /systemctl reboot/ },
  'it does not come back': { seen: { ...DARK, ...resumption('blocked', 'not back') }, says: /console/ },
  'its VM is stopped': {
    seen: { ...DARK, ...vm({ status: 'stopped' }), ...resumption('wait', 'requested') },
    says: /--start-vm/,
  },
  'booted by another': { seen: resumption('resume', 'it verifies'), says: /Resume run k3f9x2: it verifies/ },
  'its VM was rolled back': {
    seen: { ...failing('verify.kernel'), resumption: { kind: 'closes' } },
    says: /rolled back to before run k3f9x2/,
  },
  'another process': {
    seen: { busy: { pid: 7, run: 'k3f9x2', phase: 'upgrade', longestMs: 60_000 } },
    says: /Wait until it has ended, 1m 00s at most/,
  },
  'its fence or lock is left': { seen: { unfinishedRun: null }, says: /--lift-fence.*--release-lock/ },
};

const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
const rows = (page.split('## Every way in which a run can stop')[1]?.split('\n## ')[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !line.startsWith('| what stopped'))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
const words = (seen: Partial<ObservedHost>) => {
  const { problem, steps } = diagnose({ ...WELL, ...STOPPED, ...seen });
  const texts = steps.map(({ text, command, flag }) => `${text} ${command ?? ''}${flag ? `--${flag}` : ''}`);
  return [problem, ...texts].join(' ');
};

describe('every way in which a run can stop', () => {
  it('has its row, and each finding of verify', () => {
    expect(
      rows.map(([, what = '']) => Object.keys(ROWS).find((each) => what.startsWith(each)) ?? what),
    ).toEqual(Object.keys(ROWS));
    expect(Object.keys(ROWS).filter((each) => each.startsWith('verify.'))).toEqual([...VERIFY_IDS]);
  });

  it.each(Object.entries(ROWS))('%s: recover says what the page says, and names what ends it', (what, {
    seen,
    says,
  }) => {
    expect(words(seen)).toMatch(says);
    const [, , , ends = ''] = rows.find(([, first = '']) => first.startsWith(what)) ?? [];
    if (/\bpatch\b/.test(ends) && !what.includes('moment ago'))
      expect(words(seen)).toContain('pbs-ctl patch --host pbs01');
    // Flags that the page names are those that it names.
    for (const [flag] of (rows.find(([, first = '']) => first.startsWith(what))?.[2] ?? '').matchAll(
      /--(?:mount|start-vm|restart-services|lift-fence|release-lock)/g,
    ))
      if (what !== 'another process') expect(words(seen)).toContain(flag);
  });

  it('ends with the run resumed once it is fixed', () => {
    expect(words(RESUMES)).toMatch(/Resume run k3f9x2: it verifies.*pbs-ctl patch --host pbs01/);
    expect(diagnose({ ...WELL }).problem).toBe('Nothing is wrong with pbs01.');
  });
});
