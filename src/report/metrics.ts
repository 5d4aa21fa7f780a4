import { OUTCOMES } from '../config/schema.js';
import { Fault } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { postponementsOf } from '../journal/owed.js';
import { documentOf } from '../journal/runs.js';
import type { RunState } from '../journal/state.js';
import { writeAtomic } from '../journal/write-atomic.js';
import { downtimeOf, durationOf } from './summary.js';

interface HostMetrics {
  readonly run: RunDocument;
  readonly lastPatchedAt: string | null;
}

export function hostMetrics(past: readonly RunState[]): HostMetrics[] {
  const runs = past.filter(({ mode }) => mode === 'patch');
  return [...new Set(runs.map(({ host }) => host))].sort().flatMap((host) => {
    const own = runs.filter((run) => run.host === host);
    const last = own.at(-1);
    if (!last) return [];
    const patched = own.findLast(({ ended }) => ended?.outcome === 'patched');
    return [
      { run: documentOf(last, postponementsOf(own.slice(0, -1))), lastPatchedAt: patched?.lastAt ?? null },
    ];
  });
}

type Labels = Readonly<Record<string, string>>;
interface Metric {
  readonly name: string;
  readonly help: string;
  /** Null leaves the sample out: unknown is not 0. */
  readonly samples: (host: HostMetrics) => ReadonlyArray<readonly [Labels, number | null]>;
}

const seconds = (iso: string | null) => (iso === null ? null : Date.parse(iso) / 1000);
const one = (value: number | null) => [[{}, value] as const];

const METRICS: readonly Metric[] = [
  {
    name: 'last_run_timestamp_seconds',
    help: 'When the last run ended.',
    samples: ({ run }) => one(seconds(run.finishedAt)),
  },
  {
    name: 'last_run_duration_seconds',
    help: 'How long the last run took.',
    samples: ({ run }) => one(durationOf(run) / 1000),
  },
  {
    name: 'last_run_outcome',
    help: '1 for the outcome of the last run, 0 for the others.',
    samples: ({ run }) => OUTCOMES.map((outcome) => [{ outcome }, run.outcome === outcome ? 1 : 0] as const),
  },
  {
    name: 'last_patched_timestamp_seconds',
    help: 'When the host was last patched and verified.',
    samples: ({ lastPatchedAt }) => one(seconds(lastPatchedAt)),
  },
  {
    name: 'postponements_in_a_row',
    help: 'How many runs in a row were postponed, the last one included.',
    samples: ({ run }) => one(run.outcome === 'postponed' ? run.postponements.count + 1 : 0),
  },
  {
    name: 'downtime_seconds',
    help: 'How long the host was down in the reboot of the last run.',
    samples: ({ run }) => {
      const ms = downtimeOf(run);
      return one(ms === null ? null : ms / 1000);
    },
  },
  {
    name: 'packages_upgraded',
    help: 'Packages that the last run upgraded.',
    samples: ({ run }) => one(run.packagesKnown ? run.packages.upgraded.length : null),
  },
  {
    name: 'left_behind',
    help: 'Fences and locks that the last run could not undo.',
    samples: ({ run: { leftBehind } }) => [
      [{ kind: 'fence' }, leftBehind.fenced.length],
      [{ kind: 'lock' }, leftBehind.locks.length],
    ],
  },
];

/** Content for the textfile collector of the Prometheus node exporter: every host, from its last run. Pure. */
export function metricsText(hosts: readonly HostMetrics[]): string {
  return METRICS.map(({ name, help, samples }) => {
    const full = `pbs_ctl_${name}`;
    const lines = hosts.flatMap((host) =>
      samples(host).flatMap(([labels, value]) =>
        value === null ? [] : [`${full}${labelText({ host: host.run.host, ...labels })} ${value}`],
      ),
    );
    return lines.length === 0 ? '' : `# HELP ${full} ${help}\n# TYPE ${full} gauge\n${lines.join('\n')}\n`;
  }).join('');
}

function labelText(labels: Labels): string {
  const escaped = (text: string) =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${Object.entries(labels)
    .map(([key, value]) => `${key}="${escaped(value)}"`)
    .join(',')}}`;
}

/**
 * In one step, so that the collector never reads half a file. World-readable, since the exporter runs as
 * another user; it holds no secret.
 * @throws Fault `metrics.unwritable`
 */
export function writeMetrics(path: string, text: string): void {
  try {
    writeAtomic(path, text, 0o644);
  } catch (cause) {
    throw new Fault('metrics.unwritable', `The metrics file ${path} cannot be written`, {
      hint: 'Create its folder and let the user of pbs-ctl write there, or set "metrics.textfile" to null.',
      cause,
    });
  }
}
