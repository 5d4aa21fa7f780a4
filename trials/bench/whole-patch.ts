import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { Controller, documentIn, patchArgs } from '../controller.js';

const FACTOR = 100;
const JOBS = 10;
/** Phases that last as long as the simulated machine needs for them, or as long as the policy says that all must be well. */
const OF_MACHINES = new Set(['refresh', 'upgrade', 'wait', 'verify']);

interface PhaseEvent {
  readonly time: string;
  readonly phase?: string;
  readonly status?: string;
}

export const wholePatch = {
  name: `whole \`patch\`: requests without polling, and its own time; 2 datastores, ${JOBS} jobs, 3 nodes`,
  target: 'at most 60 requests; at most 3 s',
  how: 'Against the lab, every job with a schedule of its own. Polling, which is not counted: every question for the result of a command in the guest; a repeated look (method, path and parameters as before) at tasks, operations, the agent or a unit through it, and at whether a server, node or VM lives, anywhere in the run; any other question within the same phase. Beside it `first`: each question once in the whole run, as if nothing had to be looked at again under the lock and before the reboot; and `all` that went over the wire. Own time is that of the process less the phases refresh, upgrade, wait and verify, in which it follows the machine.',
  async measure() {
    const lab = await startLab({ factor: FACTOR });
    const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-bench-'));
    try {
      addJobs(lab);
      const events = join(folder, 'events');
      const begun = Date.now();
      const ended = await new Controller(patchArgs(lab.configPath, '--events', events)).ended;
      const took = Date.now() - begun;
      const outcome = documentIn(ended)?.outcome;
      if (outcome !== 'patched') throw new Error(`the run is ${outcome}: ${ended.stderr}`);
      const phases = phasesIn(readFileSync(events, 'utf8'));
      const followed = phases.filter(({ name }) => OF_MACHINES.has(name));
      const ownSeconds = (took - followed.reduce((sum, { from, to }) => sum + to - from, 0)) / 1000;
      const counted = count(lab, phases);
      return {
        ...counted,
        all: lab.record.requests.length,
        ownSeconds,
        met: counted.requests <= 60 && ownSeconds <= 3,
      };
    } finally {
      await lab.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function addJobs({ cluster }: Lab): void {
  const inHours = new Date(Date.now() + 8 * 3_600_000).getHours();
  for (let index = cluster.jobs.length; index < JOBS; index += 1)
    cluster.jobs.push({
      id: `backup-${index}`,
      schedule: `${inHours}:${String(index).padStart(2, '0')}`,
      enabled: true,
      storage: 'pbs01-tank',
      vmid: '101',
    });
}

function phasesIn(lines: string): Array<{ name: string; from: number; to: number }> {
  const open = new Map<string, number>();
  const phases: Array<{ name: string; from: number; to: number }> = [];
  for (const line of lines.split('\n').filter(Boolean)) {
    const { time, phase, status } = JSON.parse(line) as PhaseEvent;
    if (!phase) continue;
    const moment = Date.parse(time);
    if (status === 'started') open.set(phase, moment);
    else if (open.has(phase)) {
      phases.push({ name: phase, from: open.get(phase) ?? moment, to: moment });
      open.delete(phase);
    }
  }
  return phases;
}

/** Looks at what may have changed since: tasks and operations, the agent and its commands, whether servers and VM live. */
const LOOKS =
  /\/tasks(\/|$)|\/active-operations$|\/agent\/|\/version$|\/status(\/current)?$|\/time$|\/journal$/;

interface Counted {
  /** Without polling. */
  requests: number;
  /** Questions and commands that had not come before in the run. */
  first: number;
  readonly byPhase: Record<string, number>;
}

function count(lab: Lab, phases: ReadonlyArray<{ name: string; from: number; to: number }>): Counted {
  const counted: Counted = { requests: 0, first: 0, byPhase: {} };
  const run = new Set<string>();
  const within = new Set<string>();
  for (const { at, method, path, params } of lab.record.requests) {
    if (path.endsWith('/exec-status')) continue;
    const phase = phases.find(({ from, to }) => from <= at && at <= to)?.name ?? 'between';
    const parameters = JSON.stringify(params);
    // A look at the unit names the byte of its log from which on it reads.
    const asked = `${method} ${path} ${path.endsWith('/exec') ? parameters.replace(/\d+/g, '#') : parameters}`;
    const isFirst = !run.has(asked);
    const polls = !isFirst && (LOOKS.test(path) || within.has(`${phase} ${asked}`));
    run.add(asked);
    within.add(`${phase} ${asked}`);
    if (isFirst) counted.first += 1;
    if (polls) continue;
    counted.requests += 1;
    counted.byPhase[phase] = (counted.byPhase[phase] ?? 0) + 1;
  }
  return counted;
}
