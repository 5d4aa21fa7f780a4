import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/document.js';
import { resumptionOf, roundToResume, type Stopped } from '../../src/rules/resume.js';

const REQUESTED = {
  count: 1,
  requestedAt: '',
  before: { bootTime: 0, bootId: 'a' },
  downAt: null,
  upAt: null,
};
const BACK = { ...REQUESTED, upAt: '2026-11-23T02:10:00.000Z' };
const block = (id: string): Finding =>
  ({ id, status: 'block', summary: 'says no', detail: {}, retryAfter: null }) as Finding;
const run = (upgrade: Stopped['run']['upgrade'], reboot: Stopped['run']['reboot'] = null) => ({
  run: { runId: 'k3f9x2', phase: 'upgrade', upgrade, reboot } as Stopped['run'],
});
const ask = (more: Partial<Stopped>) =>
  resumptionOf({
    run: run('done', BACK).run,
    policy: { rebootTimeout: 1_200_000, reboot: 'always' },
    boot: 'rebooted',
    sinceRequestMs: null,
    findings: [],
    verified: true,
    rolledBack: false,
    ...more,
  });

describe('whether patch ends an unfinished run well', () => {
  it.each`
    seen                                                                                         | kind           | says
    ${{}}                                                                                        | ${'resume'}    | ${/^it verifies, lifts its fence/}
    ${{ rolledBack: true, verified: false }}                                                     | ${'closes'}    | ${/^$/}
    ${{ verified: false }}                                                                       | ${'blocked'}   | ${/does not pass verification/}
    ${{ verified: null }}                                                                        | ${'blocked'}   | ${/cannot be verified now/}
    ${{ findings: [block('lock.available')] }}                                                   | ${'blocked'}   | ${/^lock\.available: says no/}
    ${{ ...run('done'), boot: 'not-rebooted', verified: false }}                                 | ${'resume'}    | ${/^it reboots the host/}
    ${{ ...run('done'), boot: 'not-rebooted', findings: [block('pve.backups')] }}                | ${'blocked'}   | ${/pve\.backups/}
    ${{ ...run('done'), boot: 'rebooted' }}                                                      | ${'resume'}    | ${/^it verifies/}
    ${{ ...run('done'), boot: 'rebooted', verified: false }}                                     | ${'blocked'}   | ${/does not pass/}
    ${{ ...run('done'), boot: 'not-rebooted', policy: { rebootTimeout: 1e6, reboot: 'never' } }} | ${'resume'}    | ${/^it verifies/}
    ${{ ...run('begun'), boot: 'not-rebooted' }}                                                 | ${'resume'}    | ${/what became of its upgrade, reboots/}
    ${{ ...run('not-begun'), boot: 'not-rebooted' }}                                             | ${'resume'}    | ${/checks everything again, upgrades and reboots/}
    ${{ ...run('failed'), boot: 'not-rebooted', findings: [block('guest.packages')] }}           | ${'blocked'}   | ${/guest\.packages/}
    ${{ ...run('done', REQUESTED), boot: 'unknown', sinceRequestMs: 8000 }}                      | ${'wait'}      | ${/requested 8s ago, limit 20m 00s: wait$/}
    ${{ ...run('done', REQUESTED), boot: 'not-rebooted', sinceRequestMs: 8000 }}                 | ${'wait'}      | ${/requested 8s ago/}
    ${{ ...run('done', REQUESTED), boot: 'not-rebooted', sinceRequestMs: 300_000 }}              | ${'swallowed'} | ${/still runs in the boot of before/}
    ${{ ...run('done', REQUESTED), boot: 'unknown', sinceRequestMs: 300_000 }}                   | ${'wait'}      | ${/requested 5m 00s ago/}
    ${{ ...run('done', REQUESTED), boot: 'unknown', sinceRequestMs: 1_200_000 }}                 | ${'blocked'}   | ${/has not come back within 20m/}
    ${{ ...run('done', REQUESTED), boot: 'rebooted', sinceRequestMs: 60_000 }}                   | ${'resume'}    | ${/^it verifies/}
  `('$kind: "$says"', ({ seen, kind, says }) => {
    const resumption = ask(seen);
    expect(resumption.kind).toBe(kind);
    expect(
      'means' in resumption && resumption.kind === 'resume'
        ? resumption.means
        : 'why' in resumption
          ? resumption.why
          : '',
    ).toMatch(says);
  });

  it('knows what is over by itself', () => {
    const passes = (id: string) => ask({ findings: [block(id)], ...run('done'), boot: 'not-rebooted' });
    expect(passes('pve.backups')).toMatchObject({ passes: true });
    expect(passes('pbs.datastores')).toMatchObject({ passes: false });
  });

  it.each`
    upgrade        | reboot  | boot              | mode        | round
    ${'not-begun'} | ${null} | ${'not-rebooted'} | ${'always'} | ${'preflight'}
    ${'failed'}    | ${null} | ${'not-rebooted'} | ${'always'} | ${'preflight'}
    ${'begun'}     | ${null} | ${'not-rebooted'} | ${'always'} | ${'preflight'}
    ${'done'}      | ${null} | ${'not-rebooted'} | ${'always'} | ${'reboot'}
    ${'done'}      | ${null} | ${'unknown'}      | ${'always'} | ${'reboot'}
    ${'done'}      | ${null} | ${'rebooted'}     | ${'always'} | ${null}
    ${'done'}      | ${null} | ${'not-rebooted'} | ${'never'}  | ${null}
    ${'done'}      | ${BACK} | ${'rebooted'}     | ${'always'} | ${null}
  `('an upgrade $upgrade, $boot: goes on in $round', ({ upgrade, reboot, boot, mode, round }) =>
    expect(roundToResume(run(upgrade, reboot).run, boot, { reboot: mode })).toBe(round),
  );
});
