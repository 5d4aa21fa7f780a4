import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestMachine } from '../../src/lab/guest-machine.js';
import { type Lab, type LabOptions, startLab } from '../../src/lab/lab.js';
import { SCENARIOS } from '../../src/lab/scenario.js';
import type { Scenario } from '../../src/lab/scenarios/scenario.js';

/** Which versions the lab plays unless a test says so: `npm run test:matrix` goes through them. */
const [PVE = '9.2', PBS = '4.2'] = (process.env.PBS_CTL_LAB ?? '9.2/4.2').split('/');
const versions = { pve: PVE, pbs: PBS } as Pick<LabOptions, 'pve' | 'pbs'>;

/** A lab that lasts as long as the test that is given it. */
export async function withLab<Result>(
  options: LabOptions,
  test: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const lab = await startLab({ factor: 40, ...versions, ...options });
  bePatient(lab);
  try {
    return await test(lab);
  } finally {
    await lab.stop();
  }
}

/** The same in a scenario of the test's own, which is in the list only while its lab starts: other files count it. */
export async function withScenario<Result>(
  spec: Partial<Scenario>,
  test: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const scenarios = SCENARIOS as Scenario[];
  const own: Scenario = { name: `test-${counted++}`, description: '', expected: 'patched', ...spec };
  scenarios.push(own);
  const lab = await startLab({ factor: 40, ...versions, scenario: own.name }).finally(() =>
    scenarios.splice(scenarios.indexOf(own), 1),
  );
  bePatient(lab);
  try {
    return await test(lab);
  } finally {
    await lab.stop();
  }
}

let counted = 0;

/** A busy machine is no server that hangs: the time limit of a request is that of the product, not that of the demo. */
function bePatient({ configPath }: Lab): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8'));
  if (config.policy.requestTimeout !== '5s') return;
  config.policy.requestTimeout = '15s';
  writeFileSync(configPath, `${JSON.stringify(config, null, 2)}\n`);
}

/** What the lab's servers recorded of a kind of event on a host. */
export const eventsOf = (lab: Lab, kind: string, host = 'pbs01') =>
  lab.record.events.filter((event) => event.kind === kind && event.host === host);

/** Tags of the guest that carries the lock. */
export const carrierTags = (lab: Lab): string => lab.cluster.guests.get(900)?.config.tags ?? '';

/** What is installed on a host and what runs there, as the simulated machine itself knows it. */
export function systemOf(lab: Lab, host = 'pbs01'): { version: string; kernel: string } {
  const machine = lab.hosts.get(host)?.machine;
  const pbs = machine?.installedPackages().find(({ name }) => name === 'proxmox-backup-server');
  return { version: pbs?.version ?? '', kernel: machine?.runningKernel ?? '' };
}

/** Every maintenance mode of a host's datastores that is set. */
export const fences = (lab: Pick<Lab<GuestMachine>, 'hosts'>, host = 'pbs01'): string[] =>
  (lab.hosts.get(host)?.datastores ?? []).flatMap(({ name, maintenance }) =>
    maintenance === null ? [] : [`${name}: ${maintenance}`],
  );

/** Everything that stands in the files below a folder. */
export function everythingIn(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? everythingIn(path) : readFileSync(path, 'utf8')))
    .join('\n');
}

/** Resolves once the condition holds; rejects after four minutes, saying what was waited for. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = performance.now() + 240_000;
  while (!holds()) {
    if (performance.now() > limit) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Changes a stand-in of the toolbox of one machine, which gets a toolbox of its own. */
export function changeTool(lab: Lab, tool: string, before: string, after: string, host = 'pbs01'): void {
  const box = join(lab.hosts.get(host)?.machine.root ?? '', '.machine/toolbox');
  const source = new URL('../../dist/lab/machine/toolbox', import.meta.url);
  rmSync(box, { recursive: true });
  cpSync(source, box, { recursive: true });
  const text = readFileSync(join(box, tool), 'utf8');
  if (!text.includes(before)) throw new Error(`${tool} has no "${before}"`);
  writeFileSync(join(box, tool), text.replace(before, after));
}
