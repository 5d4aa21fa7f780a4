import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { readSecret } from '../../src/config/secret.js';
import { stateDirOf, targetOf } from '../../src/config/target.js';
import { Fault } from '../../src/fault.js';
import { pbsCtl } from '../support/in-process.js';

type Json = Record<string, unknown>;
const FINGERPRINT = Array(32).fill('AB').join(':');
const minimal = (): Json & { clusters: Record<string, Json>; hosts: Record<string, Json> } => ({
  clusters: {
    main: {
      endpoints: ['https://pve1.example.net:8006'],
      token: 'pbs-ctl@pve!patch',
      secret: { env: 'PVE' },
      tls: { fingerprints: [FINGERPRINT] },
    },
  },
  hosts: {
    pbs01: {
      endpoint: 'https://pbs01.example.net:8007',
      token: 'pbs-ctl@pbs!patch',
      secret: { env: 'PBS' },
      tls: {},
      guest: { cluster: 'main', vmid: 900 },
    },
  },
});
const parse = (config: unknown) => parseConfig(JSON.stringify(config), '/etc/pbs-ctl/config.json');
const errorsOf = (config: unknown): string[] => {
  try {
    parse(config);
  } catch (error) {
    if (error instanceof Fault && error.exitCode === 2) return error.message.split('\n');
    throw error;
  }
  return [];
};
const withPolicy = (policy: Json) => ({ ...minimal(), policy });
const withTtl = (ttl: unknown) => {
  const config = minimal();
  config.clusters.main = { ...config.clusters.main, lock: { ttl } };
  return config;
};
const withHost = (change: Json) => {
  const config = minimal();
  config.hosts.pbs01 = { ...config.hosts.pbs01, ...change };
  return config;
};

describe('a config', () => {
  it.each([
    ['policy.requestTimeout', withPolicy({ requestTimeout: 0 })],
    ['policy.pollInterval', withPolicy({ pollInterval: '0s' })],
    ['policy.rebootTimeout', withPolicy({ rebootTimeout: '0m' })],
    ['policy.upgradeTimeout', withPolicy({ upgradeTimeout: '0.0001s' })],
    ['hosts.pbs01.policy.pollInterval', withHost({ policy: { pollInterval: 0 } })],
  ])('is refused with no time at all for %s', (path, config) => {
    const errors = errorsOf(config);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`${path}: found `);
    expect(errors[0]).toContain('expected a duration longer than zero');
  });

  it.each([0, '0h', '1s', '4.9s', '31d', '99999999d'])('is refused with a lock that lasts %j', (ttl) =>
    expect(errorsOf(withTtl(ttl))).toEqual([
      expect.stringMatching(/clusters\.main\.lock\.ttl: found .*expected a duration from 5s to 30d/),
    ]));

  it.each(['5s', '30d'])('may have a lock that lasts %s', (ttl) =>
    expect(errorsOf(withTtl(ttl))).toEqual([]));

  it.each([
    'https://h:99999',
    'https://h:0',
    'https://h h',
    'https://[::1',
    'https://h\nX: y',
    'https://h\u202e',
    'https://h/api2',
    'https://h?x',
    'http://h:8007',
    'https://',
    'https://user:pw-secret@h',
    'https://user:pw-secret@h:8007/x@y',
    'https://pw-secret/x@h',
    'https://@h',
    '//user:pw-secret@h',
  ])('is refused with the endpoint %j, and repeats no password', (address) => {
    const config = withHost({ endpoint: address });
    config.clusters.main = { ...config.clusters.main, endpoints: [address] };
    const errors = errorsOf(config);
    expect(errors).toEqual([
      expect.stringContaining('clusters.main.endpoints.0: found'),
      expect.stringContaining('hosts.pbs01.endpoint: found'),
    ]);
    expect(errors.join('\n')).not.toContain('pw-secret');
  });

  it.each([
    'https://[::1]:8007',
    'https://10.0.0.5',
    'https://pbs01:8007/',
    'https://PBS.müller.example:8007',
  ])('takes the endpoint %s', (address) => expect(errorsOf(withHost({ endpoint: address }))).toEqual([]));

  it.each([
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
  ])('has no host or cluster %s because every object has something of that name', (name) => {
    expect(() => targetOf(parse(minimal()), name)).toThrow(
      expect.objectContaining({ code: 'config.unknown-host', exitCode: 2 }),
    );
    expect(errorsOf(withHost({ serves: [name] }))).toEqual([
      expect.stringContaining(`hosts.pbs01.serves.0: no cluster "${name}" is configured`),
    ]);
    expect(errorsOf(withHost({ guest: { cluster: name, vmid: 900 } }))[0]).toContain(`no cluster "${name}"`);
    expect(errorsOf(withPolicy(JSON.parse(`{ "${name}": 1 }`)))).toHaveLength(1);
  });

  it('is refused with a key that no reader would see', () => {
    const text = JSON.stringify(minimal()).replace('"main":', '"__proto__":');
    expect(() => parseConfig(text, 'c.json')).toThrow(/"__proto__" is no key/);
  });

  it('may name a host and a cluster as what is in every object', () => {
    const { clusters, hosts } = minimal();
    const config = parse({
      clusters: { constructor: clusters.main },
      hosts: { constructor: { ...hosts.pbs01, guest: { cluster: 'constructor', vmid: 900 } } },
    });
    expect(targetOf(config, 'constructor').clusters).toEqual(['constructor']);
  });

  it('may have zero where that means something', () => {
    const zero = { drainTimeout: 0, backupMargin: '0s', minRebootInterval: 0, stableFor: 0, maxClockSkew: 0 };
    expect(parse(withPolicy(zero)).policy).toMatchObject({ backupMargin: 0, minRebootInterval: 0 });
  });

  it('of the few keys that are needed gets every default of the interface', () => {
    const { policy, clusters, keepRuns } = parse(minimal());
    expect(policy).toEqual({
      reboot: 'always',
      rebootTimeout: 1_200_000,
      upgradeTimeout: 3_600_000,
      drainTimeout: 0,
      maintenanceDuration: 1_800_000,
      backupMargin: 900_000,
      pbsJobs: 'block',
      fence: 'read-only',
      cleanup: true,
      repairDpkg: false,
      minRootFree: 2 ** 31,
      protectedPackages: [],
      removals: 'approved',
      onExpiredLock: 'postpone',
      maxClockSkew: 30_000,
      maintenanceWindow: null,
      blackouts: [],
      stableFor: 10_000,
      minRebootInterval: 3_600_000,
      requiredUnits: [],
      mayBeAway: [],
      offlineNodes: 'block',
      mixedVersions: 'block',
      verifyRead: true,
      pollInterval: 2000,
      requestTimeout: 15_000,
    });
    expect(clusters.main?.lock).toEqual({
      store: 'guest-tag',
      tag: 'pbs-ctl-lock',
      ttl: 7_200_000,
      blockingTags: ['pve-patching'],
    });
    expect(keepRuns).toBe(100);
  });

  it('is the example file, which names every key of the policy', () => {
    const example = readFileSync('config.example.json', 'utf8');
    const config = parseConfig(example, 'config.example.json');
    expect(Object.keys(config.hosts)).toEqual(['pbs01', 'pbs02']);
    const raw = JSON.parse(example) as { policy: Json };
    expect(Object.keys(raw.policy).sort()).toEqual(Object.keys(parse(minimal()).policy).sort());
  });

  it('has a policy of its own for a host, key by key over that of the file', () => {
    const config = parse({ ...withHost({ policy: { fence: 'none' } }), policy: { reboot: 'never' } });
    expect(targetOf(config, 'pbs01').policy).toMatchObject({ fence: 'none', reboot: 'never', cleanup: true });
  });

  it('locks the clusters served and that of the guest, in alphabetical order', () => {
    const config = withHost({ serves: ['zeta', 'alpha'] });
    config.clusters = {
      ...config.clusters,
      zeta: { ...config.clusters.main, lock: { vmid: 7000 } },
      alpha: { ...config.clusters.main, lock: { store: 'registered-tag' } },
    };
    expect(targetOf(parse(config), 'pbs01').clusters).toEqual(['alpha', 'main', 'zeta']);
  });
});

describe('an error in a config', () => {
  it('names file, path and the nearest known key, and all errors come at once', () => {
    const config = {
      ...withHost({ adresses: [] }),
      polcy: {},
      policy: { rebot: 'always', pollInterval: 'soon' },
    };
    const errors = errorsOf(config);
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(error).toMatch(/^\/etc\/pbs-ctl\/config\.json: /);
    expect(errors.join('\n')).toContain('hosts.pbs01.adresses: unknown key; did you mean "addresses"?');
    expect(errors.join('\n')).toContain('polcy: unknown key; did you mean "policy"?');
    expect(errors.join('\n')).toContain('policy.rebot: unknown key; did you mean "reboot"?');
    expect(errors.join('\n')).toMatch(/policy\.pollInterval: found "soon"; .*20m/);
  });

  it('that comes of a misspelt key is named once, and a key that is not there is missing', () => {
    const { endpoint, ...rest } = minimal().hosts.pbs01 ?? {};
    const withKeys = (host: object) => ({ ...minimal(), hosts: { pbs01: host } });
    expect(errorsOf(withKeys({ ...rest, endpont: endpoint }))).toEqual([
      expect.stringContaining('hosts.pbs01.endpont: unknown key; did you mean "endpoint"?'),
    ]);
    expect(errorsOf(withKeys(rest))).toEqual([expect.stringMatching(/hosts\.pbs01\.endpoint: missing$/)]);
  });

  it('of a choice, a kind or an empty file says what is expected', () => {
    expect(errorsOf(withPolicy({ fence: 'readonly' }))).toEqual([
      expect.stringMatching(/policy\.fence: found "readonly"; expected one of read-only, none$/),
    ]);
    expect(errorsOf(withPolicy({ cleanup: 'yes' }))).toEqual([
      expect.stringMatching(/policy\.cleanup: found a text; expected true or false$/),
    ]);
    expect(() => parseConfig(' ', 'c.json')).toThrow('c.json: not valid JSON: the file is empty');
  });

  it.each([
    ['policy', withPolicy({ escalateAfter: '7d' })],
    ['hosts.pbs01.policy', withHost({ policy: { escalateAfter: '7d' } })],
  ])('says of a key of %s that is gone what to use instead', (path, config) => {
    expect(errorsOf(config)).toEqual([
      expect.stringMatching(new RegExp(`${path}\\.escalateAfter: this key is gone, remove it: .*alert rule`)),
    ]);
  });

  it.each([
    [
      'a token of another form',
      withHost({ token: 'pbs-ctl@pbs:patch' }),
      /hosts\.pbs01\.token: .*user@realm!token/,
    ],
    [
      'an address without https',
      withHost({ endpoint: 'http://pbs01:8007' }),
      /hosts\.pbs01\.endpoint: .*https/,
    ],
    [
      'a guest in an unknown cluster',
      withHost({ guest: { cluster: 'mian', vmid: 900 } }),
      /guest\.cluster: .*did you mean "main"/,
    ],
    ['an unknown cluster that is served', withHost({ serves: ['other'] }), /serves\.0: no cluster "other"/],
    ['a host without a guest', withHost({ guest: undefined }), /hosts\.pbs01\.guest: missing/],
    [
      'a guest that two hosts share',
      { ...minimal(), hosts: { a: minimal().hosts.pbs01, b: minimal().hosts.pbs01 } },
      /guest main\/900 is already that of host "a"/,
    ],
    [
      'a blackout that ends before it begins',
      { ...minimal(), policy: { blackouts: [{ from: '2026-12-02', to: '2026-12-01' }] } },
      /must not end before/,
    ],
    [
      'an unknown time zone',
      {
        ...minimal(),
        policy: { maintenanceWindow: { days: ['sat'], from: '22:00', to: '05:00', timezone: 'Europe/Wien' } },
      },
      /timezone: .*time zone/,
    ],
    [
      'a webhook without https',
      { ...minimal(), notify: { webhook: { url: 'http://hooks.example.net', secret: { env: 'S' } } } },
      /https/,
    ],
    ['a fingerprint that is too short', withHost({ tls: { fingerprints: ['AA:BB'] } }), /fingerprints\.0/],
  ])('says what is wrong with %s', (_, config, expected) => {
    expect(errorsOf(config).join('\n')).toMatch(expected);
  });

  it('comes together with what contradicts itself, and with nothing that follows from it', () => {
    const config = {
      ...withHost({ guest: { cluster: 'mian', vmid: 900 } }),
      policy: { rebootTimout: '20m' },
    };
    const errors = errorsOf(config).join('\n');
    expect(errors).toContain('policy.rebootTimout: unknown key; did you mean "rebootTimeout"?');
    expect(errors).toContain('hosts.pbs01.guest.cluster: no cluster "mian"');
    expect(errorsOf(withHost({ guest: { cluster: 'main', vmid: '900' } }))).toEqual([
      expect.stringContaining('hosts.pbs01.guest.vmid: found "900"'),
    ]);
  });

  it.each([
    ['secret', { secret: { enf: 'X' } }, 'hosts.pbs01.secret.enf: unknown key; did you mean "env"?'],
    [
      'secret',
      { secret: { env: 'A', fil: 'b' } },
      'hosts.pbs01.secret.fil: unknown key; did you mean "file"?',
    ],
    [
      'upgrade',
      { upgrade: { via: 'service', unit: 'a.service', unitt: 'b' } },
      'hosts.pbs01.upgrade.unitt: unknown key; did you mean "unit"?',
    ],
  ])('names a misspelt key of "%s", which has several forms', (_, change, expected) => {
    expect(errorsOf(withHost(change)).join('\n')).toContain(expected);
  });

  it('says what a name has to look like', () => {
    const config = { ...minimal(), hosts: { PBS01: minimal().hosts.pbs01 } };
    expect(errorsOf(config).join('\n')).toMatch(/hosts\.PBS01: expected a name of lower-case letters/);
  });

  const SECRET = '0b1c2d3e-very-secret';
  it.each<[string, unknown]>([
    ['behind the id of a PBS token', withHost({ token: `pbs-ctl@pbs!patch:${SECRET}` })],
    ['behind the id of a PVE token', withHost({ token: `pbs-ctl@pve!patch=${SECRET}` })],
    ['in the place of a token', withHost({ token: SECRET })],
    ['in an address', withHost({ endpoint: `http://root:${SECRET}@pbs01:8007` })],
    ['in the place of a cluster', { ...minimal(), clusters: { main: SECRET, other: null } }],
    ['in the place of a host', { ...minimal(), hosts: { pbs01: SECRET } }],
    ['under a host with a wrong name', { ...minimal(), hosts: { PBS01: { secret: SECRET } } }],
    ['under hosts that are a list', { ...minimal(), hosts: [{ secret: SECRET }] }],
    ['in the place of Slack', { ...minimal(), notify: { slack: `https://hooks.example.net/${SECRET}` } }],
    ['in the place of notify', { ...minimal(), notify: [SECRET] }],
    ['as the address of a webhook', { ...minimal(), notify: { webhook: { url: `ftp://${SECRET}` } } }],
  ])('does not repeat a secret %s', (_, config) => {
    const errors = errorsOf(config);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.join('\n')).not.toContain('very-secret');
  });

  it('does not repeat a secret where the file is no JSON', () => {
    expect(() => parseConfig(`{"secret": "very-secret" "x"}`, 'c.json')).toThrow(/^(?![\s\S]*very-secret)/);
  });

  it('says that a cluster without any guest of a host needs an anchor for its lock', () => {
    const config = withHost({ serves: ['main', 'other'] });
    config.clusters.other = { ...config.clusters.main };
    expect(errorsOf(config)).toEqual([expect.stringContaining('clusters.other.lock.vmid: missing')]);
  });

  it('refuses a secret that stands in the file, says what to write instead, and does not repeat it', () => {
    const [error = ''] = errorsOf(withHost({ secret: 'aaaa-very-secret' }));
    expect(error).toMatch(/hosts\.pbs01\.secret: .*env/);
    expect(error).not.toContain('very-secret');
  });

  it('tells where JSON breaks', () => {
    expect(() => parseConfig('{\n  "clusters": {,\n}', 'c.json')).toThrow(/c\.json: not valid JSON.*line 2/s);
  });
});

describe('a webhook on loopback', () => {
  it.each([
    'http://127.0.0.1:9/x',
    'http://localhost/x',
    'http://[::1]:80/x',
  ])('may do without https: %s', (url) => {
    expect(errorsOf({ ...minimal(), notify: { webhook: { url, secret: { env: 'S' } } } })).toEqual([]);
  });
});

describe('a secret', () => {
  const world = (env: Record<string, string>) => ({ env, platform: 'linux' }) as const;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-secret-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (mode: number, text = 'aaaa-bbbb\n') => {
    const path = join(folder, 'secret');
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };

  it('is read from the environment, a file, or a credential of systemd', async () => {
    const path = file(0o600);
    expect((await readSecret({ env: 'X' }, world({ X: 'one' }))).reveal()).toBe('one');
    expect((await readSecret({ file: path }, world({}))).reveal()).toBe('aaaa-bbbb');
    const credential = await readSecret({ credential: 'secret' }, world({ CREDENTIALS_DIRECTORY: folder }));
    expect(credential.reveal()).toBe('aaaa-bbbb');
  });

  it.each([
    0o644, 0o640, 0o604,
  ])('in a file of mode %o is refused, with the command that mends it', async (mode) => {
    await expect(readSecret({ file: file(mode) }, world({}))).rejects.toMatchObject({
      code: 'config.secret',
      exitCode: 2,
      hint: expect.stringContaining('chmod 600'),
    });
  });

  it.each([
    [{ env: 'NOT_SET' }, /NOT_SET/],
    [{ file: '/nonexistent/secret' }, /nonexistent/],
    [{ credential: 'x' }, /CREDENTIALS_DIRECTORY/],
  ])('that is not there is an error that names where it should be: %o', async (reference, words) => {
    await expect(readSecret(reference as never, world({}))).rejects.toThrow(words);
  });

  it('never prints itself', async () => {
    const secret = await readSecret({ env: 'X' }, world({ X: 'aaaa-bbbb' }));
    expect(`${secret} ${JSON.stringify({ secret })}`).not.toContain('aaaa');
  });
});

describe('the state directory', () => {
  it.each([
    [{ STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/x', HOME: '/h' }, '/var/lib/a'],
    [{ XDG_STATE_HOME: '/x', HOME: '/h' }, '/x/pbs-ctl'],
    [{ HOME: '/h' }, '/h/.local/state/pbs-ctl'],
  ])('is found in %o', (env, expected) => {
    expect(stateDirOf(parse(minimal()), env)).toBe(expected);
  });
});

describe('pbs-ctl schema', () => {
  it('prints a JSON Schema that knows every key of the example file', async () => {
    const { code, stdout } = await pbsCtl(['schema']);
    const schema = JSON.parse(stdout) as {
      properties: Record<string, { properties?: Json }>;
      $schema: string;
    };
    expect(code).toBe(0);
    expect(schema.$schema).toMatch(/json-schema\.org/);
    const example = JSON.parse(readFileSync('config.example.json', 'utf8')) as { policy: Json };
    for (const key of Object.keys(example)) expect(Object.keys(schema.properties)).toContain(key);
    for (const key of Object.keys(example.policy))
      expect(schema.properties.policy?.properties).toHaveProperty(key);
  });
});
