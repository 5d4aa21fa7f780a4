import { readFileSync } from 'node:fs';
import { Pbs } from '../src/api/pbs.js';
import { Pve } from '../src/api/pve.js';
import { CHECKS } from '../src/checks/catalogue.js';
import { runChecks } from '../src/checks/check.js';
import { parseConfig } from '../src/config/load.js';
import { readSecret } from '../src/config/secret.js';
import { lockGuest, targetOf } from '../src/config/target.js';
import { servedInGuest } from '../src/guest/served.js';
import { takeSurvey } from '../src/guest/survey.js';
import { answers } from '../src/host/answers.js';
import { ScheduleCache } from '../src/host/schedule-cache.js';
import type { Finding } from '../src/journal/document.js';
import { startLab } from '../src/lab/lab.js';
import { type Clock, realClock } from '../src/world.js';
import { contract } from '../test/conformance/contract.js';
import { mutate } from './fuzz-mutate.js';
import { type Recording, recordedServer } from './fuzz-record.js';
import { reasonFor } from './fuzz-rules.js';
import { Random } from './random.js';

/** States of the lab in which a run is blocked, each for another reason. */
const BLOCKED = [
  'backup-running',
  'backup-due-soon',
  'pve-patching',
  'pve-node-down',
  'lock-held',
  'datastore-offline',
  'datastore-path-gone',
  'pve-without-quorum',
  'guest-migrating',
  'token-short-of-privileges',
] as const;

interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  readonly scenarios?: readonly string[];
  /** Told of each that nothing explains. */
  readonly found?: (unexplained: string) => void;
}

interface Fuzz {
  readonly mutations: number;
  readonly stillBlocked: number;
  /** By the rule that explains them. */
  readonly turned: ReadonlyMap<string, number>;
  readonly unexplained: readonly string[];
}

/** Answers of a lab, each time one of them changed within what its schema allows, are put to all checks again. */
export async function fuzz({
  runs,
  seed,
  scenarios = BLOCKED,
  found = () => {},
}: FuzzOptions): Promise<Fuzz> {
  const random = new Random(seed);
  const turned = new Map<string, number>();
  const unexplained: string[] = [];
  const say = (text: string) => {
    unexplained.push(text);
    found(text);
  };
  let [mutations, stillBlocked] = [0, 0];
  const contracts = { pbs: contract('pbs', '4.2'), pve: contract('pve', '9.2') };
  for (const [index, scenario] of scenarios.entries()) {
    const { recording, replay } = await record(scenario);
    const before = await replay(recording);
    if (!isBlocked(before)) throw new Error(`${scenario} does not block: nothing to look for`);
    const entries = [...recording].filter(([, { status }]) => status === 200);
    const share = Math.floor(runs / scenarios.length) + (index < runs % scenarios.length ? 1 : 0);
    for (let run = 0; run < share; run += 1) {
      const [id, entry] = random.oneOf(entries as [(typeof entries)[0], ...typeof entries]);
      const { data, ...beside } = entry.document as { data: unknown };
      const schema = contracts[entry.product].find('GET', entry.path)?.endpoint.returns;
      const mutation = mutate(data, schema, random);
      if (!mutation) continue;
      mutations += 1;
      const document = { ...beside, data: mutation.answer };
      const after = await replay(new Map([...recording, [id, { ...entry, document }]]));
      const what = `${scenario}: ${id} ${mutation.path} ${mutation.kind}`;
      const bug = after.find(({ detail }) => detail.error === 'internal');
      if (bug) say(`${what}: a bug in ${bug.id}: ${bug.summary}`);
      else if (isBlocked(after)) stillBlocked += 1;
      else {
        const reason = reasonFor(scenario, entry, mutation);
        if (reason === null) say(`${what}: turned to pass`);
        else turned.set(reason, (turned.get(reason) ?? 0) + 1);
      }
    }
  }
  return { mutations, stillBlocked, turned, unexplained };
}

const isBlocked = (findings: readonly Finding[]) => findings.some(({ status }) => status === 'block');

/** The answers to one preflight, and that preflight put to other answers, in the same moment. */
async function record(scenario: string) {
  const lab = await startLab({ scenario, factor: 40 });
  try {
    const config = parseConfig(readFileSync(lab.configPath, 'utf8'), lab.configPath);
    const target = targetOf(config, 'pbs01');
    const world = { env: {}, platform: process.platform } as const;
    const main = config.clusters.main;
    if (!main) throw new Error('the lab has no cluster "main"');
    const tokens = {
      pbs: { id: target.config.token, secret: await readSecret(target.config.secret, world) },
      pve: { id: main.token, secret: await readSecret(main.secret, world) },
    };
    const recording: Recording = new Map();
    const at = realClock.now();
    const still: Clock = {
      now: () => at,
      monotonic: () => 0,
      sleep: async () => {},
      timeout: () => new AbortController().signal,
    };
    const clientsOf = (from: Recording, live: boolean) => ({
      pbs: new Pbs(
        recordedServer(
          'pbs',
          'pbs01',
          from,
          live ? { address: target.config.endpoint, token: tokens.pbs } : null,
        ),
        { clock: still, requestTimeoutMs: 15_000, together: false },
      ),
      pve: new Pve(
        'main',
        recordedServer(
          'pve',
          'main',
          from,
          live ? { address: main.endpoints[0] ?? '', token: tokens.pve } : null,
        ),
      ),
    });
    const guest = { pve: clientsOf(new Map(), true).pve, vmid: 900, clock: realClock };
    const survey = await takeSurvey(guest).catch((error: unknown) => error as Error);
    const served = await servedInGuest(guest).catch((error: unknown) => error as Error);
    const given =
      <Value>(value: Value | Error) =>
      async () => {
        if (value instanceof Error) throw value;
        return value;
      };
    const ask = (from: Recording, live: boolean) => {
      const { pbs, pve } = clientsOf(from, live);
      const cluster = { name: 'main', config: main, lockVmid: lockGuest(config, 'main'), pve };
      const asked = {
        target,
        pbs,
        clusters: [cluster as never],
        clock: still,
        ownRun: null,
        schedules: new ScheduleCache(),
        survey: given(survey),
        servedInGuest: given(served),
        served: async () => null,
        otherHosts: async () => [],
        accountsFor: () => false,
        addressesOf: async (name: string) => [name],
      };
      return runChecks(CHECKS, answers(asked));
    };
    await ask(recording, true);
    return { recording, replay: (from: Recording) => ask(from, false) };
  } finally {
    await lab.stop();
  }
}
