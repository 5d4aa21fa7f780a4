import { describe, expect, it } from 'vitest';
import type { PbsTask } from '../../src/api/pbs.js';
import { CHECKS } from '../../src/checks/catalogue.js';
import { type Check, retryAfter, runChecks, worstOf } from '../../src/checks/check.js';
import { clockSkew } from '../../src/checks/clock.skew.js';
import { guestAgent } from '../../src/checks/guest.agent.js';
import { guestPackages } from '../../src/checks/guest.packages.js';
import { guestVm } from '../../src/checks/guest.vm.js';
import { pbsApi } from '../../src/checks/pbs.api.js';
import { pbsApt } from '../../src/checks/pbs.apt.js';
import { pbsDatastores } from '../../src/checks/pbs.datastores.js';
import { pbsDisk } from '../../src/checks/pbs.disk.js';
import { pbsJobs } from '../../src/checks/pbs.jobs.js';
import { blocksReboot, pbsTasks } from '../../src/checks/pbs.tasks.js';
import { policyWindow } from '../../src/checks/policy.window.js';
import { pveApi } from '../../src/checks/pve.api.js';
import { pvePatching } from '../../src/checks/pve.patching.js';
import { pveQuorum } from '../../src/checks/pve.quorum.js';
import { parseConfig } from '../../src/config/load.js';
import { type Target, targetOf } from '../../src/config/target.js';
import { Fault } from '../../src/fault.js';
import { AnswerCache } from '../../src/host/answer-cache.js';
import type { Answers } from '../../src/host/answers.js';
import { VirtualClock } from '../support/virtual-clock.js';

const NOW = 1_764_000_000;
const target = (policy: object = {}): Target =>
  targetOf(
    parseConfig(
      JSON.stringify({
        clusters: {
          main: { endpoints: ['https://pve1:8006'], token: 'a@pve!b', secret: { env: 'X' }, tls: {} },
        },
        hosts: {
          pbs01: {
            endpoint: 'https://pbs01:8007',
            token: 'a@pbs!b',
            secret: { env: 'X' },
            tls: {},
            guest: { cluster: 'main', vmid: 900 },
            policy,
          },
        },
      }),
      'test',
    ),
    'pbs01',
  );
/** The judgement on what a check saw; only the fields that the case is about are given. */
const judge = <Seen>(check: Check<Seen>, seen: unknown, policy: object = {}) =>
  check.judge(seen as Seen, { target: target(policy), now: NOW, ownRun: 'k3f9x2' });

describe('the gate of running tasks', () => {
  it.each([
    'backup',
    'reader',
    'prune',
    'prunejob',
    'garbage_collection',
    'verify',
    'verificationjob',
    'sync',
    'syncjob',
    'tape-backup',
    'aptupdate',
    'termproxy',
    'zfscreate',
    'something-new',
  ])('blocks for %s', (type) => expect(blocksReboot(type)).toBe(true));
  it.each(['logrotate'])('lets %s pass', (type) => expect(blocksReboot(type)).toBe(false));
});

describe('pbs.tasks', () => {
  const task = (type: string, id: string | null = null): Partial<PbsTask> => ({
    upid: `UPID:${type}`,
    type,
    id,
  });
  it('passes where nothing runs', () =>
    expect(
      judge(pbsTasks, { tasks: [], operations: [{ datastore: 'tank', read: 0, write: 0 }] }).status,
    ).toBe('pass'));
  it('blocks for a running backup, in words', () =>
    expect(judge(pbsTasks, { tasks: [task('backup', 'tank:vm/101')], operations: [] })).toMatchObject({
      status: 'block',
      summary: 'backup of tank:vm/101 is running',
    }));
  it('blocks for a type that nobody knows', () =>
    expect(judge(pbsTasks, { tasks: [task('new-thing')], operations: [] }).status).toBe('block'));
  it('blocks for an active operation without a task', () =>
    expect(
      judge(pbsTasks, { tasks: [], operations: [{ datastore: 'tank', read: 1, write: 0 }] }),
    ).toMatchObject({
      status: 'block',
      summary: 'tank: 1 reading, 0 writing',
    }));
});

describe('pbs.jobs', () => {
  const job = (nextRun: number | null, more: object = {}) => ({
    kind: 'verify',
    id: 'v1',
    store: 'tank',
    schedule: 'daily',
    disabled: false,
    running: false,
    nextRun,
    ...more,
  });
  it.each([
    ['in an hour', NOW + 3600, 'pass'],
    ['at the very end of run and margin', NOW + 45 * 60, 'block'],
    ['a second later', NOW + 45 * 60 + 1, 'pass'],
    ['in the past, so at any moment', NOW - 100, 'block'],
    ['never again', null, 'pass'],
  ])('judges a job that is due %s', (_, nextRun, status) =>
    expect(judge(pbsJobs, [job(nextRun)]).status).toBe(status));
  it('lets a disabled job and one without a schedule pass', () =>
    expect(
      judge(pbsJobs, [job(NOW + 60, { disabled: true }), job(NOW + 60, { schedule: null })]).status,
    ).toBe('pass'));
  it('only warns where the policy says so', () =>
    expect(judge(pbsJobs, [job(NOW + 60)], { pbsJobs: 'warn' }).status).toBe('warn'));
  it('is expected to be over a margin after the last job', () =>
    expect(judge(pbsJobs, [job(NOW + 60), job(NOW + 600)]).retryAt).toBe(NOW + 600 + 900));
});

describe('pbs.datastores', () => {
  const seen = (
    store: object = {},
    usage: object | null = {},
    survey: object | null = {
      mounts: [
        { target: '/', source: 'a' },
        { target: '/mnt/tank', source: 'b' },
      ],
      fstab: ['/', '/mnt/tank'],
    },
  ) => ({
    datastores: [{ name: 'tank', maintenance: null, mounted: null, ...store }],
    usage: usage
      ? [{ name: 'tank', error: null, mounted: null, total: 1, used: 1, available: 0, ...usage }]
      : [],
    paths: new Map([['tank', '/mnt/tank']]),
    survey,
    surveyError: survey ? null : 'the guest agent is not running',
    needsSurvey: true,
  });
  it.each([
    ['is well', seen(), 'pass'],
    ['reports an error', seen({}, { error: 'unable to open chunk store' }), 'block'],
    ['reports no usage', seen({}, null), 'block'],
    ['is offline', seen({ maintenance: { type: 'offline', message: 'disks' } }), 'block'],
    ['is being deleted', seen({ maintenance: { type: 'delete', message: null } }), 'block'],
    ['is read-only by somebody else', seen({ maintenance: { type: 'read-only', message: 'audit' } }), 'warn'],
    [
      'is fenced by this very run',
      seen({ maintenance: { type: 'read-only', message: 'pbs-ctl run k3f9x2 since now' } }),
      'pass',
    ],
    ['is not mounted', seen({ mounted: false }), 'block'],
    [
      'stands in fstab and is not mounted',
      seen({}, {}, { mounts: [{ target: '/', source: 'a' }], fstab: ['/mnt/tank'] }),
      'block',
    ],
    [
      'shares the root file system',
      seen({}, {}, { mounts: [{ target: '/', source: 'a' }], fstab: [] }),
      'warn',
    ],
    ['lies where nobody can look', seen({}, {}, null), 'block'],
  ])('judges one that %s', (_, given, status) => expect(judge(pbsDatastores, given).status).toBe(status));
  it('blocks where the token sees none', () =>
    expect(judge(pbsDatastores, { ...seen(), datastores: [] }).status).toBe('block'));
});

describe('pbs.apt', () => {
  const seen = (more: object = {}) => ({
    errors: [],
    warnings: [],
    standard: [{ handle: 'enterprise', enabled: true }],
    enabledUris: [],
    ...more,
  });
  it.each([
    ['clean repositories', seen(), 'pass'],
    ['a file that cannot be parsed', seen({ errors: [{ path: '/etc/apt/x', error: 'bad' }] }), 'block'],
    [
      'no Proxmox repository',
      seen({
        standard: [{ handle: 'enterprise', enabled: null }],
        enabledUris: ['http://deb.example trixie main'],
      }),
      'block',
    ],
    [
      'a mirror of the Proxmox repository',
      seen({ standard: [], enabledUris: ['https://mirror.example/pbs trixie pbs-no-subscription'] }),
      'pass',
    ],
    ['a warning', seen({ warnings: ['old suite'] }), 'warn'],
  ])('judges %s', (_, given, status) => expect(judge(pbsApt, given).status).toBe(status));
});

describe('pbs.disk', () => {
  it.each([
    [2 ** 31, 'pass'],
    [2 ** 31 - 1, 'block'],
  ])('with %i bytes free is %s', (free, status) => expect(judge(pbsDisk, free).status).toBe(status));
});

describe('versions', () => {
  it.each([
    ['3.1.2', 'block'],
    ['3.2.0', 'pass'],
    ['4.2.3', 'pass'],
  ])('PBS %s is %s', (version, status) =>
    expect(judge(pbsApi, { version, uptimeSeconds: 9 }).status).toBe(status));
  it.each([
    ['7.4', 'block'],
    ['8.1', 'warn'],
    ['8.4.1', 'pass'],
    ['9.2', 'pass'],
    ['10.0', 'warn'],
    ['unknown', 'block'],
  ])('PVE %s is %s', (version, status) =>
    expect(judge(pveApi, [['main', { version, major: 0 }]]).status).toBe(status));
});

describe('pve.quorum', () => {
  const seen = (quorate: boolean, offline: string[] = [], guestNode: string | null = 'pve1') => [
    [
      'main',
      {
        quorate,
        nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ name, online: !offline.includes(name) })),
        guestNode,
      },
    ],
  ];
  it.each([
    ['all is well', seen(true), {}, 'pass'],
    ['there is no quorum', seen(false), {}, 'block'],
    ['a node is offline', seen(true, ['pve3']), {}, 'block'],
    ['a node is offline and the policy minds little', seen(true, ['pve3']), { offlineNodes: 'warn' }, 'warn'],
    [
      'the node of the VM is offline, whatever the policy',
      seen(true, ['pve1']),
      { offlineNodes: 'warn' },
      'block',
    ],
  ])('judges when %s', (_, given, policy, status) =>
    expect(judge(pveQuorum, given, policy).status).toBe(status));
});

describe('pve.patching', () => {
  const seen = (more: object = {}) => [
    [
      'main',
      {
        blockingTags: ['pve-patching'],
        guests: [],
        registered: [],
        tasks: [],
        online: ['pve1'],
        ha: { nodeRequest: {}, nodeStatus: {}, lrm: {}, armed: null },
        packages: [['pve1', []]],
        uptimes: [['pve1', 86_400]],
        nodeNow: NOW,
        ...more,
      },
    ],
  ];
  const task = (type: string, node = 'pve1') => ({ type, node, user: 'root@pam', endedAt: null });
  it.each([
    ['nothing speaks for it', seen(), 'pass'],
    ['a guest carries the tag', seen({ guests: [{ vmid: 101, tags: ['prod', 'pve-patching'] }] }), 'block'],
    ['the tag is registered', seen({ registered: ['PVE-Patching'] }), 'block'],
    [
      'a node is in HA maintenance',
      seen({ ha: { nodeRequest: { pve2: { maintenance: true } }, nodeStatus: {}, lrm: {}, armed: null } }),
      'block',
    ],
    [
      'an LRM stops',
      seen({
        ha: {
          nodeRequest: {},
          nodeStatus: {},
          lrm: { pve1: { mode: 'shutdown', timestamp: NOW - 5 } },
          armed: null,
        },
      }),
      'block',
    ],
    [
      'an LRM stopped long ago',
      seen({
        ha: {
          nodeRequest: {},
          nodeStatus: {},
          lrm: { pve1: { mode: 'restart', timestamp: NOW - 500 } },
          armed: null,
        },
      }),
      'pass',
    ],
    ['all guests of a node are being moved', seen({ tasks: [task('migrateall')] }), 'block'],
    ['packages are half installed', seen({ packages: [['pve1', ['pve-manager']]] }), 'block'],
    ['a node booted minutes ago', seen({ uptimes: [['pve1', 300]] }), 'block'],
    ['a shell is open', seen({ tasks: [task('vncshell')] }), 'warn'],
    ['the daily apt update runs', seen({ tasks: [task('aptupdate')] }), 'pass'],
    ['a whole-node action hangs on a node that is away', seen({ tasks: [task('stopall', 'pve9')] }), 'pass'],
  ])('judges when %s', (_, given, status) => expect(judge(pvePatching, given).status).toBe(status));
  it('knows when a node that booted lately will count as settled', () =>
    expect(judge(pvePatching, seen({ uptimes: [['pve1', 300]] })).retryAt).toBe(NOW + 600));
});

describe('guest.vm', () => {
  const seen = (more: object = {}) => ({
    type: 'qemu',
    status: 'running',
    qmpStatus: 'running',
    lock: null,
    tasks: [],
    node: 'pve1',
    ...more,
  });
  it.each([
    ['runs', seen(), 'pass'],
    ['is stopped', seen({ status: 'stopped' }), 'block'],
    ['is paused under a running process', seen({ qmpStatus: 'paused' }), 'block'],
    ['is locked by a backup', seen({ lock: 'backup' }), 'block'],
    ['is moving', seen({ tasks: [{ type: 'qmigrate', node: 'pve1', user: 'x' }] }), 'block'],
    ['has a console open', seen({ tasks: [{ type: 'vncproxy', node: 'pve1', user: 'x' }] }), 'pass'],
    ['is a container', seen({ type: 'lxc' }), 'block'],
  ])('judges one that %s', (_, given, status) => expect(judge(guestVm, given).status).toBe(status));
});

describe('guest.agent', () => {
  const seen = (more: object = {}) => ({
    vmid: 900,
    node: 'pve1',
    cluster: 'main',
    major: 9,
    token: 'a@pve!b',
    configured: true,
    enabled: true,
    error: null,
    agent: { version: '10.0.2', commands: new Map() },
    ...more,
  });
  const error = (code: string) => ({ error: { code, message: code, hint: 'h' } });
  it('passes where a command ran', () => expect(judge(guestAgent, seen()).status).toBe('pass'));
  it.each([
    ['not in the config', seen({ configured: false }), 'qm set 900 --agent 1'],
    ['switched off in the config', seen({ enabled: false }), 'qm set 900 --agent 1'],
    ['not running', seen(error('agent.not-running')), 'apt install qemu-guest-agent'],
    ['forbidden to run commands', seen(error('agent.blocked')), 'guest-exec'],
    ['frozen', seen(error('agent.frozen')), 'fsfreeze-thaw'],
    ['in a VM that is stopped', seen(error('agent.vm-stopped')), 'qm start 900'],
    ['out of reach for the token on PVE 9', seen(error('api.forbidden')), 'VM.GuestAgent.Unrestricted'],
    ['out of reach for the token on PVE 8', seen({ ...error('api.forbidden'), major: 8 }), 'VM.Monitor'],
  ])('blocks for an agent that is %s, with its own fix', (_, given, fix) => {
    const { status, detail, fixes } = judge(guestAgent, given);
    expect(status).toBe('block');
    expect(JSON.stringify({ hint: detail?.hint, fixes })).toContain(fix);
  });
});

describe('guest.packages', () => {
  const plan = {
    upgraded: [{ name: 'a', from: '1', to: '2' }],
    installed: [],
    removed: [] as object[],
    held: [] as string[],
  };
  const seen = (more: object = {}) => ({ audit: '', aptLocks: [], plan, simulationError: null, ...more });
  it.each([
    ['all is whole', seen(), {}, 'pass'],
    ['a package is held', seen({ plan: { ...plan, held: ['x'] } }), {}, 'warn'],
    [
      'something else is removed',
      seen({ plan: { ...plan, removed: [{ name: 'old', from: '1' }] } }),
      {},
      'warn',
    ],
    [
      'PBS would be removed',
      seen({ plan: { ...plan, removed: [{ name: 'proxmox-backup-server', from: '1' }] } }),
      {},
      'block',
    ],
    ['dpkg was interrupted', seen({ audit: 'half configured' }), {}, 'block'],
    [
      'dpkg was interrupted and may be mended',
      seen({ audit: 'half configured' }),
      { repairDpkg: true },
      'warn',
    ],
    [
      'another process holds the lock of apt',
      seen({ aptLocks: [{ file: '/var/lib/dpkg/lock', pid: 7 }] }),
      {},
      'block',
    ],
    ['apt cannot simulate', seen({ plan: null, simulationError: 'E: Unmet dependencies' }), {}, 'block'],
    ['the upgrade goes another way', null, {}, 'skip'],
  ])('judges when %s', (_, given, policy, status) =>
    expect(judge(guestPackages, given, policy).status).toBe(status));
});

describe('clock.skew', () => {
  it('blocks where two clocks are further apart than allowed, though neither is that far from ours', () => {
    const offsets = [
      { name: 'PBS', seconds: 29 },
      { name: 'PVE node pve1', seconds: -29 },
    ];
    expect(judge(clockSkew, offsets)).toMatchObject({
      status: 'block',
      summary: 'PBS is 58 s ahead of PVE node pve1',
    });
  });
  it.each([
    [30, 'pass'],
    [-30, 'pass'],
    [31, 'block'],
    [-31, 'block'],
  ])('of %i seconds is %s', (seconds, status) =>
    expect(judge(clockSkew, [{ name: 'PBS', seconds }]).status).toBe(status));
  it('says which clock is off, and in which direction', () =>
    expect(
      judge(clockSkew, [
        { name: 'PBS', seconds: 90 },
        { name: 'PVE node pve1', seconds: -45 },
      ]).summary,
    ).toBe('PBS is 90 s ahead; PVE node pve1 is 45 s behind'));
});

describe('policy.window', () => {
  const up = (uptimeSeconds: number) => ({ uptimeSeconds });
  it('blocks for a host that booted lately, and knows until when', () =>
    expect(judge(policyWindow, up(600))).toMatchObject({ status: 'block', retryAt: NOW + 3000 }));
  it('lets such a host pass where nothing would be rebooted', () =>
    expect(judge(policyWindow, up(600), { reboot: 'never' }).status).toBe('skip'));
  it('is skipped where the policy names neither window nor blackout', () =>
    expect(judge(policyWindow, up(86_400)).status).toBe('skip'));
  it('blocks on a day of a blackout, until it is over', () =>
    expect(
      judge(policyWindow, up(86_400), { blackouts: [{ from: '2025-11-24', to: '2025-11-25' }] }),
    ).toMatchObject({ status: 'block', retryAt: Date.parse('2025-11-26T00:00:00') / 1000 }));
});

describe('a round of checks', () => {
  const cache = new AnswerCache(new VirtualClock());
  const answers = { target: target(), now: NOW, cache } as unknown as Answers;
  it('turns a check that throws into a block with its reason', async () => {
    const broken: Check = {
      id: 'pbs.api',
      look: () => Promise.reject(new Fault('net.unreachable', 'no route', { hint: 'look' })),
      judge: () => ({ status: 'pass', summary: '' }),
    };
    expect(await runChecks([broken], answers)).toEqual([
      {
        id: 'pbs.api',
        status: 'block',
        summary: 'no route',
        detail: { error: 'net.unreachable', hint: 'look' },
        retryAfter: null,
      },
    ]);
  });
  it('turns a judgement that throws into a block too', async () => {
    const broken: Check = {
      id: 'pbs.api',
      look: async () => null,
      judge: () => {
        throw new TypeError('x is undefined');
      },
    };
    expect((await runChecks([broken], answers))[0]?.status).toBe('block');
  });
  it('asks a lasting check once a minute, unless it blocked; any other in each round', async () => {
    const asked: string[] = [];
    const check = (id: Check['id'], status: 'warn' | 'block', more: object = {}): Check => ({
      id,
      ...more,
      look: async () => asked.push(id),
      judge: () => ({ status, summary: '' }),
    });
    const checks = [
      check('pbs.access', 'warn', { lasting: true }),
      check('pve.access', 'block', { lasting: true }),
      check('pbs.tasks', 'warn'),
    ];
    const rounds = [await runChecks(checks, answers), await runChecks(checks, answers)];
    expect(asked).toEqual(['pbs.access', 'pve.access', 'pbs.tasks', 'pve.access', 'pbs.tasks']);
    expect(rounds[1]).toEqual(rounds[0]);
  });
  it('lets these verdicts last and no other', () =>
    expect(CHECKS.filter(({ lasting }) => lasting).map(({ id }) => id)).toEqual([
      'pbs.access',
      'pbs.apt',
      'pve.api',
      'pve.access',
      'guest.agent',
      'guest.packages',
      'clock.skew',
    ]));
  const finding = (status: 'pass' | 'block', retry: string | null) =>
    ({ id: 'pbs.api', status, summary: '', detail: {}, retryAfter: retry }) as const;
  it('is expected to be safe when the last block is over', () =>
    expect(
      retryAfter([
        finding('block', '2026-01-01T00:00:00.000Z'),
        finding('block', '2026-01-02T00:00:00.000Z'),
        finding('pass', null),
      ]),
    ).toBe('2026-01-02T00:00:00.000Z'));
  it('promises nothing while one block has no known end', () =>
    expect(retryAfter([finding('block', '2026-01-01T00:00:00.000Z'), finding('block', null)])).toBeNull());
});

describe('the same check of several clusters', () => {
  it('has the worst status, and lines that name the clusters', () =>
    expect(
      worstOf([
        ['a', { status: 'pass', summary: 'fine' }],
        ['b', { status: 'block', summary: 'busy', retryAt: 5 }],
        ['c', { status: 'block', summary: 'full', retryAt: 9 }],
      ]),
    ).toMatchObject({
      status: 'block',
      summary: 'b: busy; c: full',
      retryAt: 9,
    }));
});
