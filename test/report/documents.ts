import fc from 'fast-check';
import { CHECKS } from '../../src/checks/catalogue.js';
import { OUTCOMES } from '../../src/config/schema.js';
import { type Finding, PHASES, type RunDocument } from '../../src/journal/document.js';

const CHECK_IDS = CHECKS.map(({ id }) => id);

/** What a server, a package or a person could call something in order to be read as more than a name. */
export const HOSTILE =
  'a<b>&"c" \'d\' <script>alert(1)</script> <!channel> [z](http://q) ~s~ `t` |u| \u001b[31mred\u0007\u202e\nnext\u2028line';

/** A run of pbs01 that ended well; tests change what they are about. */
export const document = (more: Partial<RunDocument> = {}): RunDocument => ({
  schemaVersion: 1,
  runId: 'k3f9x2',
  host: 'pbs01',
  mode: 'patch',
  outcome: 'patched',
  phase: 'report',
  startedAt: '2026-11-23T02:00:00.000Z',
  finishedAt: '2026-11-23T02:12:00.000Z',
  resumed: false,
  before: {
    version: '4.1.2-1',
    kernel: '6.14.8-2-pve',
    bootTime: '2026-11-01T00:00:00.000Z',
    datastores: [{ name: 'tank', state: 'ok', total: 100, used: 40, available: 60 }],
  },
  after: {
    version: '4.2.3-1',
    kernel: '6.17.4-1-pve',
    bootTime: '2026-11-23T02:10:00.000Z',
    datastores: [{ name: 'tank', state: 'ok', total: 100, used: 40, available: 60 }],
  },
  planDigest: 'f'.repeat(64),
  approval: [],
  would: [],
  safeUntil: null,
  updatesAsOf: null,
  packages: {
    upgraded: [{ name: 'libssl3', from: '1', to: '2' }],
    installed: [],
    removed: [],
    held: [],
    keptBack: [],
  },
  packagesKnown: true,
  checks: [],
  reboot: {
    count: 1,
    requestedAt: '2026-11-23T02:09:00.000Z',
    downAt: '2026-11-23T02:09:02.000Z',
    upAt: '2026-11-23T02:10:02.000Z',
  },
  inventory: { datastores: 2, groups: 37, snapshots: 10412, equal: true, differences: [] },
  leftBehind: { fenced: [], locks: [] },
  retryAfter: null,
  postponements: { count: 0, since: null },
  evidence: [],
  accepted: [],
  warnings: [],
  screen: null,
  error: null,
  ...more,
});

export const finding = (more: Partial<Finding> = {}): Finding => ({
  id: 'pbs.tasks',
  status: 'block',
  summary: 'backup of tank:vm/101 is running',
  detail: {},
  retryAfter: null,
  ...more,
});

export const postponed = (more: Partial<RunDocument> = {}): RunDocument =>
  document({
    outcome: 'postponed',
    after: null,
    reboot: null,
    packages: { upgraded: [], installed: [], removed: [], held: [], keptBack: [] },
    checks: [finding()],
    error: { code: 'not-safe', message: 'pbs.tasks: backup is running', hint: null },
    ...more,
  });

export const manyPackages = (count: number): RunDocument['packages'] => ({
  upgraded: Array.from({ length: count }, (_, index) => ({
    name: `package-with-a-long-name-${index}`,
    from: '1:2.3.4-1~bpo13+1',
    to: '1:2.3.5-1<&>',
  })),
  installed: [],
  removed: [],
  held: [],
  keptBack: [],
});

/** A run in which everything that is a word of somebody else is hostile. */
export const hostile = (words = HOSTILE): RunDocument => {
  const state = (used: number) => ({
    version: words,
    kernel: words,
    bootTime: '2026-11-23T02:10:00.000Z',
    datastores: [{ name: words, state: words, total: 10, used, available: 10 - used }],
  });
  return document({
    outcome: 'unverified',
    host: words,
    before: state(4),
    after: state(5),
    packages: {
      upgraded: [{ name: words, from: words, to: words }],
      installed: [{ name: words, to: words }],
      removed: [{ name: words, from: words, by: 'upgrade' }],
      held: [words],
      keptBack: [words],
    },
    checks: (['block', 'warn', 'pass', 'skip'] as const).map((status, index) =>
      finding({ id: CHECK_IDS[index] ?? 'pbs.api', status, summary: words }),
    ),
    inventory: { datastores: 1, groups: 1, snapshots: 1, equal: false, differences: [words] },
    leftBehind: { fenced: [words], locks: [words] },
    accepted: [{ id: 'verify.kernel', reason: words }],
    warnings: [words],
    screen: { file: words, why: words },
    error: { code: 'x', message: words, hint: words },
  });
};

/** Any run whose words can be broken between them, as the words of real servers can. */
export const anyDocument: fc.Arbitrary<RunDocument> = (() => {
  const words = fc
    .array(fc.stringMatching(/^[a-z0-9:/.()-]{1,20}$/), { minLength: 1, maxLength: 30 })
    .map((each) => each.join(' '));
  const version = fc.stringMatching(/^[0-9][0-9a-z.+~-]{0,19}$/);
  const packageName = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,40}$/);
  const storeName = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/);
  const bytes = fc.option(fc.integer({ min: 0, max: 2 ** 47 }));
  const store = fc.record({
    name: storeName,
    state: fc.oneof(fc.constant('ok'), words),
    total: bytes,
    used: bytes,
    available: bytes,
  });
  const moment = fc
    .integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') })
    .map((ms) => new Date(ms).toISOString());
  const state = fc.record({
    version,
    kernel: version,
    bootTime: moment,
    datastores: fc.uniqueArray(store, { maxLength: 5, selector: ({ name }) => name }),
  });
  return fc.record({
    schemaVersion: fc.constant(1 as const),
    runId: fc.stringMatching(/^[a-z0-9]{6}$/),
    host: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,15}$/),
    mode: fc.constantFrom('patch', 'check'),
    outcome: fc.constantFrom(...OUTCOMES),
    phase: fc.constantFrom(...PHASES),
    startedAt: moment,
    finishedAt: moment,
    resumed: fc.boolean(),
    before: fc.option(state),
    after: fc.option(state),
    planDigest: fc.constant(null),
    approval: fc.constant([]),
    would: fc.array(fc.string(), { maxLength: 4 }),
    packages: fc.record({
      upgraded: fc.array(fc.record({ name: packageName, from: version, to: version }), { maxLength: 40 }),
      installed: fc.array(fc.record({ name: packageName, to: version }), { maxLength: 5 }),
      removed: fc.array(
        fc.record({ name: packageName, from: version, by: fc.constant('upgrade' as const) }),
        { maxLength: 5 },
      ),
      held: fc.array(packageName, { maxLength: 20 }),
      keptBack: fc.array(packageName, { maxLength: 3 }),
    }),
    safeUntil: fc.option(moment),
    updatesAsOf: fc.option(moment),
    packagesKnown: fc.boolean(),
    checks: fc.array(
      fc.record({
        id: fc.constantFrom(...CHECK_IDS),
        status: fc.constantFrom('pass', 'warn', 'block', 'skip'),
        summary: words,
        detail: fc.constant({}),
        retryAfter: fc.option(moment),
      }),
      { maxLength: 19 },
    ),
    accepted: fc.array(fc.record({ id: fc.constantFrom('verify.kernel', 'verify.units'), reason: words }), {
      maxLength: 3,
    }),
    reboot: fc.option(
      fc.record({
        count: fc.constant(1),
        requestedAt: moment,
        downAt: fc.option(moment),
        upAt: fc.option(moment),
      }),
    ),
    inventory: fc.option(
      fc.record({
        datastores: fc.nat(9),
        groups: fc.nat(2000),
        snapshots: fc.nat(100_000),
        equal: fc.option(fc.boolean()),
        differences: fc.array(fc.string(), { maxLength: 3 }),
      }),
    ),
    leftBehind: fc.record({
      fenced: fc.array(storeName, { maxLength: 5 }),
      locks: fc.array(fc.constantFrom('main', 'remote'), { maxLength: 2 }),
    }),
    retryAfter: fc.option(moment),
    postponements: fc.record({ count: fc.nat({ max: 300 }), since: fc.option(moment) }),
    evidence: fc.array(words, { maxLength: 12 }),
    warnings: fc.array(words, { maxLength: 5 }),
    screen: fc.option(fc.record({ file: fc.option(words), why: fc.option(words) })),
    error: fc.option(
      fc.record({ code: fc.constantFrom('not-safe', 'x'), message: words, hint: fc.option(words) }),
    ),
  });
})();
