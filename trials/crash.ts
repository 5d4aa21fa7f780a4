import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunDocument } from '../src/journal/document.js';
import { type Lab, startLab } from '../src/lab/lab.js';
import {
  Controller,
  documentIn,
  type Ended,
  inItsOwnProcess,
  patchArgs,
  type RunToEnd,
} from './controller.js';
import { Witness } from './witness.js';

/** A moment at which a run is killed: right before, within or right after one of its steps. */
export type CrashPoint =
  | {
      readonly what: 'write';
      readonly number: number;
      readonly side: 'before' | 'within' | 'after';
      readonly step: string;
    }
  | {
      readonly what: 'request';
      readonly number: number;
      readonly side: 'before' | 'after';
      readonly step: string;
    };

export interface Trial {
  readonly point: CrashPoint;
  /** False where the run ended before it came to this point. */
  readonly reached: boolean;
  readonly outcome: string;
  readonly violations: readonly string[];
}

const FACTOR = 100;

/** Every journal write and every request of a healthy run, both sides of each, as the run itself shows them. */
export async function listCrashPoints(): Promise<CrashPoint[]> {
  return inLab(async (lab) => {
    const requests: string[] = [];
    lab.setWeather(({ server, method, path }) => {
      requests.push(`${method} ${server}${path}`);
      return null;
    });
    const ended = await new Controller(patchArgs(lab.configPath)).ended;
    const document = documentIn(ended);
    if (document?.outcome !== 'patched')
      throw new Error(`a healthy run is not "patched": ${ended.stdout}${ended.stderr}`);
    const writes = journalSteps(lab, document.runId);
    return [
      ...writes.flatMap((step, index) =>
        (['before', 'within', 'after'] as const).map(
          (side): CrashPoint => ({ what: 'write', number: index + 1, side, step }),
        ),
      ),
      ...requests.flatMap((step, index) =>
        (['before', 'after'] as const).map(
          (side): CrashPoint => ({ what: 'request', number: index + 1, side, step }),
        ),
      ),
    ];
  });
}

/** Kills a run at the point, starts `patch` again until there is an end, and judges what the servers saw. */
export async function tryCrashPoint(point: CrashPoint, runAgain: RunToEnd = inItsOwnProcess): Promise<Trial> {
  return inLab(async (lab) => {
    const witness = new Witness(lab);
    const first = await runInto(lab, point);
    const reached = first.signal === 'SIGKILL';
    lab.setWeather(() => null);
    const reports = reached ? await patchUntilEnded(lab, runAgain) : [documentIn(first)];
    const last = reports.at(-1) ?? null;
    const violations = [...witness.judge(last, { runs: new Set(reports.map((each) => each?.runId)).size })];
    const { outcome, why } = endOf(last);
    const mayFail = last?.error?.code === 'reboot.not-down' && witness.reboots === 0;
    // Killed when it had ended already: what was started again is another run, which does not reboot once more.
    const hadEnded = firstRunEnded(lab) && witness.reboots === 1;
    if (outcome !== 'patched' && !mayFail && !hadEnded)
      violations.push(`the run ended "${outcome}" (${why}) in a healthy lab`);
    return { point, reached, outcome, violations };
  });
}

const endOf = (document: RunDocument | null) => ({
  outcome: document?.outcome ?? 'no report',
  why: document?.error ? `${document.error.code}: ${document.error.message}` : '',
});

async function runInto(lab: Lab, point: CrashPoint): Promise<Ended> {
  if (point.what === 'write') {
    const env = { DIE_AT: String(point.number), DIE_SIDE: point.side };
    return new Controller(patchArgs(lab.configPath), { env, imports: [resolve('trials/die-at-write.mjs')] })
      .ended;
  }
  let seen = 0;
  const controller = new Controller(patchArgs(lab.configPath));
  lab.setWeather(() => {
    seen += 1;
    if (seen !== point.number) return null;
    return {
      kind: point.side === 'before' ? 'cut-before' : 'cut-after',
      struck: () => controller.kill('SIGKILL'),
    };
  });
  return controller.ended;
}

const MOST_TRIES = 3;

async function patchUntilEnded(lab: Lab, runAgain: RunToEnd): Promise<Array<RunDocument | null>> {
  const reports: Array<RunDocument | null> = [];
  for (let tried = 0; tried < MOST_TRIES; tried += 1) {
    const document = documentIn(await runAgain(patchArgs(lab.configPath)));
    reports.push(document);
    if (document?.outcome === 'patched') break;
  }
  return reports;
}

function firstRunEnded(lab: Lab): boolean {
  const folder = join(lab.dir, 'state', 'runs');
  const journals = readdirSync(folder).map((run) => readFileSync(join(folder, run, 'journal.jsonl'), 'utf8'));
  return journals.some((text) => text.includes('"type":"ended","outcome":"patched"'));
}

/** The kinds of events of the run's journal, in their order. */
function journalSteps(lab: Lab, runId: string): string[] {
  const text = readFileSync(join(lab.dir, 'state', 'runs', runId, 'journal.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const { event } = JSON.parse(line) as { event: { type: string; phase?: string; status?: string } };
      return [event.type, event.phase, event.status].filter(Boolean).join(' ');
    });
}

async function inLab<Result>(trial: (lab: Lab) => Promise<Result>): Promise<Result> {
  const lab = await startLab({ factor: FACTOR });
  try {
    hurry(lab.configPath);
    return await trial(lab);
  } finally {
    await lab.stop();
  }
}

/** Shorter waits than the lab's own, so that thousands of runs end within a night. */
export function hurry(configPath: string, policy: Readonly<Record<string, unknown>> = {}): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as { policy: Record<string, unknown> };
  config.policy = {
    ...config.policy,
    pollInterval: '200ms',
    stableFor: '300ms',
    rebootTimeout: '20s',
    requestTimeout: '15s',
    ...policy,
  };
  writeFileSync(configPath, JSON.stringify(config));
}
