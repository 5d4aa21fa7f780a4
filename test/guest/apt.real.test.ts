import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenIn, brokenPackages, readPlan } from '../../src/guest/apt.js';
import { evidenceIn } from '../../src/guest/evidence.js';
import { remarksIn } from '../../src/guest/upgrade-remarks.js';
import { UPGRADE_EXIT, upgradeScript } from '../../src/guest/upgrade-script.js';
import { adviceOf } from '../../src/rules/advice.js';
import { causesIn } from '../../src/rules/causes.js';
import { AptWorld, type Deb, hasApt } from '../support/apt-world.js';

// Situations that hosts are met in, made with the real apt and dpkg: one Debian in a folder, whose packages have
// nothing to do with each other.

const INSTALLED: readonly Deb[] = [
  { name: 'plain', version: '1' },
  { name: 'held-one', version: '1', status: 'hold ok installed' },
  { name: 'pinned-one', version: '1' },
  { name: 'downgraded', version: '3' },
  { name: 'broken-deps', version: '1' },
  { name: 'phased', version: '1' },
  { name: 'loser', version: '1' },
  { name: 'breaker', version: '1' },
  { name: 'spare', version: '1', auto: true },
  { name: 'essential-one', version: '1', fields: { Essential: 'yes' } },
  { name: 'conffile-one', version: '1', files: { '/etc/one.conf': 'mine\n' } },
  { name: 'failing', version: '1' },
  { name: 'half', version: '1', status: 'install ok half-configured' },
  { name: 'unpacked', version: '1', status: 'install ok unpacked' },
  { name: 'vendor', version: '1', files: { '/opt/vendor': 'x' } },
  { name: 'foreign', version: '1', fields: { Architecture: 'armhf' } },
];
const AVAILABLE: readonly Deb[] = [
  { name: 'plain', version: '2' },
  { name: 'held-one', version: '2' },
  { name: 'pinned-one', version: '2' },
  { name: 'downgraded', version: '2' },
  { name: 'broken-deps', version: '2', fields: { Depends: 'nowhere' } },
  { name: 'phased', version: '2', fields: { 'Phased-Update-Percentage': '0' } },
  { name: 'breaker', version: '2', fields: { Breaks: 'loser' } },
  { name: 'failing', version: '2', scripts: { postinst: 'echo "failing: fatal: no such table"; exit 1' } },
  { name: 'half', version: '1' },
  { name: 'unpacked', version: '1' },
];

describe.skipIf(!hasApt)('what is read from the real apt and dpkg', () => {
  let made: AptWorld;
  beforeAll(() => {
    made = new AptWorld(INSTALLED, AVAILABLE);
    made.write(
      'etc/apt/preferences.d/pins',
      'Package: pinned-one\nPin: version 1\nPin-Priority: 1001\n\nPackage: downgraded\nPin: version 2\nPin-Priority: 1001\n',
    );
    made.remove('var/lib/dpkg/info/vendor.md5sums');
  });
  afterAll(() => made.end());

  const plan = (words = 'dist-upgrade') => readPlan(made.sh(`apt-get -s ${words}`).stdout, ['held-one']);

  it('of a simulation: upgrades, what is held, pinned, kept back and removed', () => {
    made.sh('dpkg --configure -a');
    const seen = plan();
    const upgraded = new Map(seen.upgraded.map(({ name, from, to }) => [name, `${from} ${to}`]));
    const names = (of: ReadonlyArray<{ name: string }>) => of.map(({ name }) => name);
    expect({
      plain: upgraded.get('plain'),
      held: [upgraded.has('held-one'), seen.keptBack.includes('held-one'), seen.held],
      pinned: upgraded.has('pinned-one'),
      'downgrade by pin': upgraded.get('downgraded'),
      'dependency that is nowhere': seen.keptBack.includes('broken-deps'),
      'removed by what breaks it': names(seen.removed),
    }).toEqual({
      plain: '1 2',
      held: [false, false, ['held-one']],
      pinned: false,
      'downgrade by pin': '3 2',
      'dependency that is nowhere': true,
      'removed by what breaks it': ['loser'],
    });
  });

  it.each`
    what                                         | words                                             | removed
    ${'APT::Get::Purge'}                         | ${'-o APT::Get::Purge=true dist-upgrade'}         | ${'loser'}
    ${'autoremove'}                              | ${'autoremove'}                                   | ${'spare'}
    ${'both at once'}                            | ${'--autoremove dist-upgrade'}                    | ${'loser spare'}
    ${'a package that autoremove must not take'} | ${'-o APT::NeverAutoRemove::=^spare$ autoremove'} | ${''}
    ${'an essential package that is named'}      | ${'remove essential-one'}                         | ${'essential-one'}
  `('of what is removed with $what: "$removed"', ({ words, removed }) =>
    expect(
      plan(words)
        .removed.map(({ name }) => name)
        .sort()
        .join(' '),
    ).toBe(removed),
  );

  it('of an audit: what is half done is named; no md5sums, or another architecture, is no harm', () => {
    const status = made.read('var/lib/dpkg/status');
    const state = (name: string, to: string) =>
      made.write(
        'var/lib/dpkg/status',
        status.replace(new RegExp(`(Package: ${name}\\nStatus: install ok) .*`), `$1 ${to}`),
      );
    const half = () => brokenPackages(brokenIn(made.sh('dpkg --audit').stdout));
    for (const [to, named] of [
      ['half-configured', ['plain']],
      ['unpacked', ['plain']],
      ['half-installed', ['plain']],
      ['installed', []],
    ] as const) {
      state('plain', to);
      expect({ to, half: half() }).toEqual({ to, half: named });
    }
    made.write('var/lib/dpkg/status', status);
  });

  /** The words of apt, what is read from them, and the sources as they were. */
  const caused = (script: string) => {
    const { stdout, stderr } = made.sh(script);
    const evidence = evidenceIn(`${stdout}\n${stderr}`.replaceAll(made.root, '').split('\n'));
    const [first] = causesIn(evidence);
    return { cause: first?.kind, advice: adviceOf(causesIn(evidence), { host: 'h', enterpriseFile: null }) };
  };
  const update = (line: string, more = '') =>
    `cd $WORLD; cp etc/apt/sources.list kept; echo '${line}' >etc/apt/sources.list; ${more}; apt-get -q update -o Acquire::Retries=0; cp kept etc/apt/sources.list`;
  const release = (fields: string) =>
    `printf '%b' 'Origin: x\\nSuite: stable\\n${fields}' >repository/Release`;

  it.each`
    what                                  | cause              | line                                                      | more
    ${'a repository without a signature'} | ${'unsigned'}      | ${'deb copy:$WORLD/repository ./'}                        | ${''}
    ${'a Release file out of date'}       | ${'expired'}       | ${'deb [trusted=yes] copy:$WORLD/repository ./'}          | ${'Date: Mon, 02 Feb 2015 10:00:00 UTC\\nValid-Until: Tue, 03 Feb 2015 10:00:00 UTC\\n'}
    ${'a clock that is behind'}           | ${'not-yet-valid'} | ${'deb [trusted=yes] copy:$WORLD/repository ./'}          | ${'Date: Mon, 02 Feb 2099 10:00:00 UTC\\n'}
    ${'a repository that is gone'}        | ${'not-found'}     | ${'deb [trusted=yes] copy:/nowhere ./'}                   | ${''}
    ${'a mirror that refuses'}            | ${'unreachable'}   | ${'deb [trusted=yes] http://127.0.0.1:9 stable main'}     | ${''}
    ${'a name that is nowhere'}           | ${'unresolved'}    | ${'deb [trusted=yes] http://nowhere.invalid stable main'} | ${''}
  `('of an update with $what: $cause', ({ line, more, cause }) => {
    const source = line.replace('$WORLD', made.root);
    const before = made.read('repository/Release');
    const seen = caused(update(source, more === '' ? 'true' : release(more)));
    made.write('repository/Release', before);
    expect(seen).toEqual({ cause, advice: expect.objectContaining({ hint: expect.any(String) }) });
  });

  it('of a source that is named twice: no cause, and nothing of an answer', () => {
    const line = 'deb [trusted=yes] copy:/nowhere stable main';
    made.sh(
      `cp $WORLD/etc/apt/sources.list $WORLD/kept; printf '%s\\n%s\\n' '${line}' '${line}' >>$WORLD/etc/apt/sources.list`,
    );
    const { stdout, stderr } = made.sh('apt-mark showhold; cp $WORLD/kept $WORLD/etc/apt/sources.list');
    expect({ stdout: stdout.trim(), stderr: stderr.includes('W: Target') }).toEqual({
      stdout: 'held-one',
      stderr: true,
    });
  });

  /** Holds a lock as apt does, for as long as the other command takes. */
  const whileLocked = async (file: string, script: string) => {
    const path = `${made.root}/${file}`;
    const holder = spawn(
      'perl',
      [
        '-e',
        `use Fcntl; open F, '>>', '${path}'; my $l = pack('s s x![l!] l! l! i', F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; $| = 1; print "held\\n"; <STDIN>`,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.stdout.once('end', () => reject(new Error('the lock could not be held')));
    });
    try {
      return caused(script).cause;
    } finally {
      const ended = new Promise((resolve) => holder.once('exit', resolve));
      holder.stdin.end();
      await ended;
    }
  };
  it.each`
    file                            | script                                                   | cause
    ${'var/lib/apt/lists/lock'}     | ${'apt-get -q update'}                                   | ${'lists-locked'}
    ${'var/lib/dpkg/lock-frontend'} | ${'apt-get -y -q -o DPkg::Lock::Timeout=0 dist-upgrade'} | ${'dpkg-locked'}
    ${'var/lib/dpkg/lock-frontend'} | ${'dpkg --configure -a'}                                 | ${'dpkg-locked'}
  `('of "$script" while another holds $file: $cause', async ({ file, script, cause }) =>
    expect(await whileLocked(file, script)).toBe(cause),
  );

  it.each`
    what                        | cause          | before                                                                                               | after
    ${'a package that is gone'} | ${'not-found'} | ${'mv repository/plain_2_all.deb kept.deb'}                                                          | ${'mv kept.deb repository/plain_2_all.deb'}
    ${'another file'}           | ${'mid-sync'}  | ${'cp repository/plain_2_all.deb kept.deb; echo x >>repository/plain_2_all.deb'}                     | ${'mv kept.deb repository/plain_2_all.deb'}
    ${'a hook that refuses'}    | ${'hook'}      | ${'echo "DPkg::Pre-Invoke { \\"echo uncommitted changes; exit 1\\"; };" >etc/apt/apt.conf.d/98hook'} | ${'rm etc/apt/apt.conf.d/98hook'}
  `('of an upgrade with $what: $cause, and nothing has changed', ({ cause, before, after }) => {
    const seen = caused(
      `cd $WORLD; ${before}; apt-get -y -q install plain=2; ${after}; rm -f var/cache/apt/archives/*.deb`,
    );
    expect({ cause: seen.cause, version: made.packages().plain }).toEqual({ cause, version: '1' });
  });

  it('of a script that fails: the package, what it said before, and a repair that fails too until it is fixed', () => {
    const { stdout, stderr } = made.sh('apt-get -y -q install failing');
    const evidence = evidenceIn(`${stdout}${stderr}`.split('\n'));
    expect(evidence.join('\n')).toMatch(
      /failing: fatal: no such table|dpkg: error processing package failing/,
    );
    expect(causesIn(evidence)[0]).toEqual({ kind: 'script', what: 'failing' });
    const repair = (order: object = {}) => {
      made.sh('rm -f $WORLD/run/*');
      const script = upgradeScript(
        { repairDpkg: true, only: 'repair', cleanup: false, protectedPackages: [], ...order },
        `${made.root}/run`,
      );
      return made.sh(script).code;
    };
    expect(repair()).toBe(UPGRADE_EXIT.repairFailed);
    made.write('var/lib/dpkg/info/failing.postinst', '#!/bin/sh\nexit 0\n');
    expect(repair()).toBe(0);
    expect(brokenIn(made.sh('dpkg --audit').stdout)).toBe('');
  });

  it('of a configuration file that was changed: it is kept, and named', () => {
    made.publish([
      ...AVAILABLE,
      {
        name: 'conffile-one',
        version: '2',
        files: { '/etc/one.conf': 'theirs\n' },
        conffiles: ['/etc/one.conf'],
      },
    ]);
    const { stdout } = made.sh(
      'apt-get -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install conffile-one',
    );
    expect({ kept: remarksIn(stdout.split('\n')).keptFiles, text: made.read('etc/one.conf') }).toEqual({
      kept: ['/etc/one.conf'],
      text: 'mine\n',
    });
  });
});
