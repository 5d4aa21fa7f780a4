import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding, Phase, RunDocument } from '../src/journal/document.js';
import { type Lab, startLab } from '../src/lab/lab.js';
import type { Diagnosis } from '../src/recover/diagnose.js';
import type { ObservedHost } from '../src/recover/observed.js';
import type { HostStatus } from '../src/report/status-text.js';
import { isAboutTimeOrUse } from '../src/rules/present.js';
import { Controller, documentIn, patchArgs } from './controller.js';
import { hurry } from './crash.js';

/** Where a run is killed: as soon as its journal names that phase; null: it is left to its own end. */
export type Stop = Phase | null;
export const STOPS: readonly Stop[] = [
  null,
  'preflight',
  'lock',
  'fence',
  'drain',
  'refresh',
  'upgrade',
  'reboot',
  'wait',
  'verify',
  'unfence',
];

export interface Verdict {
  /** What recover said of the unfinished run; `none` where there was none. */
  readonly said: string;
  /** Outcome of the `patch` after it. */
  readonly outcome: string;
  readonly violations: readonly string[];
}

const FACTOR = 100;

/** Runs a command to its end, its document read. */
type Run = (args: readonly string[]) => Promise<{ readonly code: number | null; readonly stdout: string }>;
export const inProcesses: Run = (args) => new Controller(args).ended;

/**
 * A run of a scenario is stopped in a phase; then every command is asked, and `patch` shows who was right: recover says
 * "resume" exactly when it ends well, `windows` that a run fits now exactly when no check about time or use blocks, and
 * `status`, `lock show`, PBS and the journal agree.
 */
export async function judgeVerdicts(scenario: string, stop: Stop, run: Run = inProcesses): Promise<Verdict> {
  const lab = await startLab({ factor: FACTOR, scenario });
  try {
    hurry(lab.configPath, ownPolicy(lab));
    await stopIn(lab, stop);
    const ask = async <Document>(...args: string[]) =>
      JSON.parse((await run([...args, '--json', '--config', lab.configPath])).stdout) as Document;
    const host = ['--host', 'pbs01'];
    const violations = [
      ...(await timeAndUse(
        () => ask('windows', ...host),
        () => ask('preflight', ...host),
      )),
      ...(await sameStory(
        lab,
        () => ask('status', ...host),
        () => ask('lock', 'show'),
      )),
    ];
    const seen = await settled(() => ask<Recovered>('recover', ...host));
    const { resumption, diagnosis } = seen;
    const resumes = resumption?.kind === 'resume' && diagnosis.healthy;
    const said = resumption === null ? 'none' : resumes ? 'resume' : `not (${resumption.kind})`;
    // A run that would wait for what never ends tells nothing.
    if (resumption?.kind === 'wait' || (seen.inside?.upgrading.length ?? 0) > 0)
      return { said: 'wait', outcome: 'not tried', violations };
    const before = steps(lab);
    const document = documentIn(await new Controller(patchArgs(lab.configPath)).ended);
    const outcome = document?.outcome ?? 'no report';
    const isWrong =
      resumption !== null && resumption.kind !== 'closes' && resumes !== (outcome === 'patched');
    // What only a step of this very run met was not there to be seen.
    const met = resumes && steps(lab) > before;
    if (isWrong && met) return { said, outcome: `${outcome}, by what came after`, violations };
    if (isWrong)
      violations.push(
        `recover said "${said}" (${diagnosis.problem}), and patch ended "${outcome}"${why(document)}`,
      );
    return { said, outcome, violations };
  } finally {
    await lab.stop();
  }
}

/** Upgrades and reboots that the lab has seen. */
const steps = (lab: Lab): number =>
  lab.record.events.filter(({ kind }) => /^(upgrade-started|reboot|reboot-swallowed)$/.test(kind)).length;

type Recovered = ObservedHost & { readonly diagnosis: Diagnosis };

const why = (document: RunDocument | null) => (document?.error ? ` (${document.error.message})` : '');

/** What the scenario itself needs goes before the haste of a trial. */
function ownPolicy(lab: Lab): Record<string, unknown> {
  const { policy } = JSON.parse(readFileSync(lab.configPath, 'utf8')) as { policy: Record<string, unknown> };
  const keys = ['rebootTimeout', 'upgradeTimeout', 'requestTimeout'];
  return Object.fromEntries(Object.entries(policy).filter(([key]) => keys.includes(key)));
}

async function stopIn(lab: Lab, stop: Stop): Promise<void> {
  const controller = new Controller(patchArgs(lab.configPath));
  let over = false;
  const ended = controller.ended.finally(() => {
    over = true;
  });
  while (stop !== null && !over) {
    if (journalOf(lab).includes(`"phase":"${stop}","status":"intended"`)) {
      controller.kill('SIGKILL');
      break;
    }
    await pause(10);
  }
  await ended;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function journalOf(lab: Lab): string {
  try {
    const folder = join(lab.dir, 'state', 'runs');
    return readdirSync(folder)
      .map((run) => readFileSync(join(folder, run, 'journal.jsonl'), 'utf8'))
      .join('');
  } catch {
    return ''; // none has begun
  }
}

const MOST_LOOKS = 12;

/** Asks again while it says to wait. */
async function settled(ask: () => Promise<Recovered>): Promise<Recovered> {
  let seen = await ask();
  for (let looked = 1; looked < MOST_LOOKS; looked += 1) {
    const waits = seen.resumption?.kind === 'wait' || (seen.inside?.upgrading.length ?? 0) > 0;
    if (!waits) break;
    await pause(1000);
    seen = await ask();
  }
  return seen;
}

interface Windows {
  readonly from: string;
  readonly next: { readonly start: string } | null;
  readonly error?: unknown;
}

async function timeAndUse(
  windows: () => Promise<Windows>,
  preflight: () => Promise<{ readonly checks?: readonly Finding[] }>,
): Promise<string[]> {
  const [shown, { checks }] = [await windows(), await preflight()];
  if (shown.error || !checks) return []; // a host that does not answer has no time to offer
  const blocks = checks.filter((each) => each.status === 'block' && isAboutTimeOrUse(each));
  const fits = shown.next !== null && shown.next.start <= shown.from;
  if (fits === (blocks.length === 0)) return [];
  return [
    `windows: a run ${fits ? 'fits' : 'does not fit'} now; ${blocks.map(({ summary }) => summary).join('; ') || 'nothing blocks'}`,
  ];
}

async function sameStory(
  lab: Lab,
  status: () => Promise<{ readonly hosts: readonly HostStatus[] }>,
  lockShow: () => Promise<{
    readonly held?: boolean;
    readonly run?: string | null;
    readonly expired?: boolean;
  }>,
): Promise<string[]> {
  const [shown] = (await status()).hosts;
  const lock = await lockShow();
  if (!shown) return ['status shows no host'];
  const violations: string[] = [];
  if (lock.held !== undefined && !shown.lockError) {
    if (lock.held !== (shown.lock !== null))
      violations.push(`lock show: held ${lock.held}, status: ${JSON.stringify(shown.lock)}`);
    if (shown.lock && (shown.lock.run !== lock.run || shown.lock.expired !== lock.expired))
      violations.push(`lock show: run ${lock.run}, status: ${JSON.stringify(shown.lock)}`);
  }
  for (const { name, maintenance } of shown.datastores) {
    const real = lab.hosts.get('pbs01')?.datastores.find((each) => each.name === name)?.maintenance ?? null;
    const type = real?.split(',')[0]?.replace(/^type=/, '') ?? null;
    if (type !== (maintenance?.type ?? null))
      violations.push(`${name}: PBS has ${real}, status ${JSON.stringify(maintenance)}`);
  }
  const journal = journalOf(lab);
  if (shown.run !== null && !journal.includes(shown.run.id))
    violations.push(`status names run ${shown.run.id}, which no journal has`);
  return violations;
}
