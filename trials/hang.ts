import { readFileSync, writeFileSync } from 'node:fs';
import type { InjectedFault } from '../src/lab/https.js';
import { type Lab, startLab } from '../src/lab/lab.js';
import { matchPath } from '../src/lab/parameters.js';

interface Reading {
  readonly args: readonly string[];
  /** What of the machine it would notice. */
  readonly troubles: readonly Trouble[];
  /** An endpoint that it can do without: another answers the same. */
  readonly quiet?: string;
}

/** What befalls the machine itself. */
const TROUBLES = ['store hangs', 'store hangs from the start', 'daemon hangs'] as const;
type Trouble = (typeof TROUBLES)[number];

const HOST = ['--host', 'pbs01'];

/** Every command that only reads, as it is asked about one host. */
export const READING: Readonly<Record<string, Reading>> = {
  preflight: { args: ['preflight', ...HOST], troubles: TROUBLES },
  verify: { args: ['verify', ...HOST], troubles: TROUBLES },
  status: { args: ['status', ...HOST], troubles: TROUBLES },
  windows: { args: ['windows', ...HOST], troubles: ['store hangs', 'store hangs from the start'] },
  recover: { args: ['recover', ...HOST], troubles: TROUBLES },
  // The version of the node that carries the guest; that of the cluster does where it does not answer.
  doctor: { args: ['doctor', ...HOST], troubles: ['daemon hangs'], quiet: 'GET /nodes/pve1/status' },
  'lock show': { args: ['lock', 'show', '--cluster', 'main'], troubles: [] },
  'patch --check': { args: ['patch', ...HOST, '--check'], troubles: TROUBLES },
};

/** Nothing fails by it while the endpoints are recorded. */
const DEFAULT_REQUEST_TIMEOUT_MS = 15_000;

/** 9 s are less than the default: here the same part of a shorter one. */
const LATE_PART = 9 / 15;

/** What befalls an endpoint. */
export const FAULTS = ['never', 'trickles', 'late'] as const;
export type HangFault = (typeof FAULTS)[number];

export interface HangOptions {
  readonly command: string;
  readonly requestTimeoutMs: number;
  readonly faults: readonly HangFault[];
  /** Which of the endpoints that the command asks, and of the troubles; all without it. */
  readonly wanted?: (endpoint: string) => boolean;
  /** Runs the built command to its end. */
  readonly run: (args: readonly string[]) => Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Told of each violation as it is found. */
  readonly found?: (violation: string) => void;
}

export interface Hang {
  readonly runs: number;
  readonly endpoints: number;
  readonly violations: readonly string[];
  /** Runs that took longer than is promised: for the trial, on a machine that does nothing else. */
  readonly late: readonly string[];
  /** Of all runs, over the time that is promised. */
  readonly slowest: number;
}

/**
 * Lets each endpoint that a command asks hang in turn. The command has to end within 2 × `requestTimeout` + 5 s, to
 * name what did not answer, and to send a PBS one call at a time that touches a datastore, none of them again.
 */
export async function hang(options: HangOptions): Promise<Hang> {
  const { command, requestTimeoutMs, faults, wanted = () => true, found } = options;
  const reading = READING[command];
  if (!reading) throw new RangeError(`"${command}" is not a command of this trial`);
  const args = [...reading.args, '--json'];
  const promisedMs = 2 * requestTimeoutMs + 5000;
  const violations: string[] = [];
  const late: string[] = [];
  let [runs, slowest] = [0, 0];
  const endpoints = await withLab(DEFAULT_REQUEST_TIMEOUT_MS, async (lab) => {
    await options.run([...args, '--config', lab.configPath]);
    return [...new Set(lab.record.requests.map(({ method, path }) => `${method} ${shapeOf(path)}`))];
  });
  const chosen = endpoints.filter(wanted);
  const check = async (what: string, names: RegExp | null, prepare: (lab: Lab) => void) => {
    await withLab(requestTimeoutMs, async (lab) => {
      prepare(lab);
      const host = lab.hosts.get('pbs01');
      host?.storeCalls.reset();
      const begun = performance.now();
      const { stdout, stderr } = await options.run([...args, '--config', lab.configPath]);
      const tookMs = performance.now() - begun;
      runs += 1;
      slowest = Math.max(slowest, tookMs / promisedMs);
      const note = (list: string[], text: string) => {
        list.push(`${command}, ${what}: ${text}`);
        found?.(list.at(-1) as string);
      };
      const violation = (text: string) => note(violations, text);
      if (tookMs > promisedMs) note(late, `took ${Math.round(tookMs)} ms of ${promisedMs}`);
      if (names && !names.test(stdout + stderr)) violation('does not name what did not answer');
      const { mostAtOnce = 0, repeated = [] } = host?.storeCalls ?? {};
      if (mostAtOnce > 1) violation(`${mostAtOnce} calls to datastores at once`);
      if (repeated.length > 0) violation(`sent again: ${repeated.join(', ')}`);
    });
  };
  for (const endpoint of chosen) {
    for (const fault of faults) {
      const [method = '', path = ''] = endpoint.split(' ');
      const names = fault === 'late' || endpoint === reading.quiet ? null : naming(path);
      await check(`${endpoint} ${fault}`, names, (lab) =>
        lab.setWeather((request) =>
          request.method === method && shapeOf(request.path) === path
            ? faultOf(fault, requestTimeoutMs)
            : null,
        ),
      );
    }
  }
  for (const trouble of reading.troubles.filter(wanted))
    await check(trouble, NAMES[trouble], (lab) => befall(lab, trouble));
  return { runs, endpoints: chosen.length, violations, late, slowest };
}

async function withLab<Result>(
  requestTimeoutMs: number,
  act: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const lab = await startLab({ factor: 40 });
  try {
    const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
    config.policy = { ...config.policy, requestTimeout: `${requestTimeoutMs}ms` };
    writeFileSync(lab.configPath, JSON.stringify(config));
    return await act(lab);
  } finally {
    await lab.stop();
  }
}

/** Ids of tasks differ from run to run. */
const shapeOf = (path: string): string => path.replace(/\/tasks\/[^/]+\//, '/tasks/UPID/');

function faultOf(fault: HangFault, requestTimeoutMs: number): InjectedFault {
  if (fault === 'never') return { kind: 'unanswered' };
  if (fault === 'late') return { kind: 'late', ms: requestTimeoutMs * LATE_PART };
  return { kind: 'trickles', everyMs: requestTimeoutMs / 4 };
}

/** The path itself, or for what a person knows by another name, that name. */
function naming(path: string): RegExp {
  const agent = /\/agent\//.test(path) ? '|guest 900|guest agent' : '';
  const literal = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace('UPID', '[^/]+');
  return new RegExp(`${literal}${agent}`, 'i');
}

const NAMES: Readonly<Record<Trouble, RegExp>> = {
  'store hangs': /tank[\s\S]{0,90}hangs/,
  'store hangs from the start': /datastore of this PBS hangs/,
  'daemon hangs': /root daemon hangs/,
};

function befall(lab: Lab, trouble: Trouble): void {
  const host = lab.hosts.get('pbs01');
  if (!host) return;
  if (trouble === 'daemon hangs') {
    const ofDaemon = host.routes.filter(({ daemon }) => daemon);
    host.server.weather = ({ method, path }) =>
      ofDaemon.some((route) => route.method === method && matchPath(route.path, path))
        ? { kind: 'unanswered' }
        : null;
    return;
  }
  if (trouble === 'store hangs from the start') host.stores.restarted('boot');
  host.datastoreAt('tank').trouble = 'hangs';
}
