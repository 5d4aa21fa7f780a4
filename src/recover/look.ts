import { NoGuest } from '../api/absent.js';
import { ApiFault } from '../api/failure.js';
import { AgentFault } from '../api/guest-agent.js';
import type { GuestConfig } from '../api/pve.js';
import { ContentsWatch } from '../checks/contents-watch.js';
import { datastoreStates } from '../checks/host-state.js';
import { verifyOnce } from '../checks/verify.js';
import { errorDocument, Fault } from '../fault.js';
import { runOfFence } from '../fence/mark.js';
import { addressGone } from '../guest/address-gone.js';
import { takeInside } from '../guest/inside.js';
import { type Answers, answerOf } from '../host/answers.js';
import type { Host } from '../host/open.js';
import { workingOn } from '../journal/claim.js';
import type { Baseline } from '../journal/records.js';
import { folderOf, readRuns } from '../journal/runs.js';
import { isUnfinished, type RunState } from '../journal/state.js';
import { longestOf } from '../rules/beside-run.js';
import { changedBy } from '../rules/changed-by-run.js';
import { vmTroubles } from '../rules/vm-return.js';
import type { World } from '../world.js';
import { observeLocks } from './look-at-locks.js';
import { lookToResume } from './look-to-resume.js';
import type { ObservedHost, ObservedRun, ObservedVm } from './observed.js';

/** Looks at a host from outside in. What does not answer is a result too. Reads only. */
export async function observe(
  host: Host,
  stateDir: string,
  world: Pick<World, 'clock' | 'thisBoot'>,
): Promise<ObservedHost> {
  const { host: name } = host.target;
  // A refused journal must not stop this: `patch` then refers to recover.
  const runs = readRuns(stateDir).runs.filter((run) => run.host === name);
  const last = runs.findLast(({ baseline }) => baseline) ?? null;
  const unfinished = runs.findLast(isUnfinished) ?? null;
  const asked = host.answers(unfinished?.runId ?? null);
  const [vm, inside, pbs, locks] = await Promise.all([
    observeVm(host),
    observeInside(host),
    observePbs(asked, last?.baseline ?? null),
    observeLocks(host),
  ]);
  // Where one look into the guest has failed, another would hang as well.
  const { agentError } = inside;
  const rest = agentError
    ? { ...asked, survey: async () => Promise.reject(new Fault(agentError.code, agentError.message)) }
    : asked;
  const watch = new ContentsWatch(world.clock, last && folderOf(stateDir, last.runId));
  const verification = pbs.proxy === 'answers' ? await verifyOnce(rest, last, { watch }) : null;
  const resumption = unfinished
    ? await lookToResume(unfinished, rest, { proxy: pbs.proxy, verified: verification?.ok ?? null })
    : null;
  const gone =
    pbs.proxy === 'silent' && inside.agent === 'answers' && host.guest
      ? await addressGone(host.guest, host.target.config.endpoint, asked.addressesOf).catch(() => null)
      : null;
  const pid = await workingOn(stateDir, name, world);
  const left = new Set([...pbs.fences, ...locks.locks].map(({ run }) => run));
  return {
    host: name,
    busy: pid === null ? null : { pid, ...workOf(unfinished, host.target.policy) },
    ...vm,
    ...inside,
    ...pbs,
    ...locks,
    runs: runs.filter((run) => left.has(run.runId) || run === runs.at(-1)).map(observedRun),
    verification: verification && { ok: verification.ok, findings: verification.findings },
    unfinishedRun: unfinished?.runId ?? null,
    resumption,
    changed: last ? changedBy(last) : { kernel: null, packages: [] },
    passphrases: unfinished?.reboot ? (unfinished.baseline?.passphrases ?? []) : [],
    addressGone: gone,
  };
}

/** An unfinished run that has not ended is the one at work. */
function workOf(
  run: RunState | null,
  policy: Host['target']['policy'],
): Omit<NonNullable<ObservedHost['busy']>, 'pid'> {
  if (!run || run.ended) return { run: null, phase: null, longestMs: null };
  return { run: run.runId, phase: run.phase, longestMs: longestOf(run.phase, policy) };
}

const observedRun = (state: RunState): ObservedRun => {
  const { runId, ended, phase, startedAt, lastAt, fenced, locks, evidence } = state;
  return {
    run: runId,
    outcome: ended?.outcome ?? null,
    phase,
    startedAt,
    lastAt,
    leftBehind: { fenced, locks },
    error: ended?.error ?? null,
    evidence,
  };
};

/** The VM as its cluster sees it, even if its node does not answer. */
async function observeVm({ guest, guestCluster }: Host): Promise<Pick<ObservedHost, 'vm' | 'vmError'>> {
  if (!guest || !guestCluster) return { vm: null, vmError: null };
  const { pve, vmid } = guest;
  try {
    const place = await pve.findGuest(vmid);
    if (!place) throw new NoGuest(guestCluster.name, vmid);
    const [nodes, status, config] = await Promise.all([
      pve.clusterStatus().then(
        (answer) => ({ list: answer.nodes, error: null }),
        (error: unknown) => ({ list: [], error: errorDocument(error) }),
      ),
      pve.guestStatus(vmid).then(
        (value) => ({ value, error: null }),
        (error: unknown) => ({ value: null, error: errorDocument(error) }),
      ),
      pve.guestConfig(vmid).catch(() => null),
    ]);
    return {
      vm: {
        vmid,
        cluster: guestCluster.name,
        node: place.node,
        nodeOnline: nodes.list.find(({ name }) => name === place.node)?.online ?? null,
        nodeError: nodes.error,
        // For five minutes, PVE lists the guests of a dead node as running.
        status: status.value?.status ?? 'unknown',
        qmpStatus: status.value?.qmpStatus ?? null,
        lock: status.value?.lock ?? place.lock,
        ...(config ? { troubles: vmTroubles(config, vmid, status.value?.haManaged ?? false) } : {}),
        consoleUrl: consoleUrl(pve.address, { vmid, node: place.node, name: place.name, config }),
      } satisfies ObservedVm,
      vmError: status.error,
    };
  } catch (error) {
    return { vm: null, vmError: errorDocument(error) };
  }
}

/** The console in PVE's web UI, which asks for a login. */
export function consoleUrl(
  address: string,
  {
    vmid,
    node,
    name,
    config,
  }: {
    readonly vmid: number;
    readonly node: string;
    readonly name: string | null;
    readonly config: Pick<GuestConfig, 'display'> | null;
  },
): string {
  const viewer = config?.display?.startsWith('serial') ? 'xtermjs=1' : 'novnc=1';
  const called = name === null ? '' : `&vmname=${encodeURIComponent(name)}`;
  return `${address}/?console=kvm&${viewer}&vmid=${vmid}${called}&node=${encodeURIComponent(node)}&resize=off`;
}

async function observeInside({
  guest,
}: Host): Promise<Pick<ObservedHost, 'agent' | 'agentError' | 'inside'>> {
  if (!guest) return { agent: 'not-asked', agentError: null, inside: null };
  try {
    return { agent: 'answers', agentError: null, inside: await takeInside(guest) };
  } catch (error) {
    const agentError = errorDocument(error);
    return { agent: hasAnswered(error) ? 'refuses' : 'silent', agentError, inside: null };
  }
}

/** A refusal is an answer, and so is one that cannot be read. */
function hasAnswered(error: unknown): boolean {
  if (error instanceof AgentFault) return !error.isSilent;
  if (error instanceof ApiFault && error.kind === 'unknown') return error.status !== null;
  return error instanceof Fault && error.kind === 'refused';
}

type ObservedPbs = Pick<
  ObservedHost,
  'proxy' | 'daemon' | 'apiError' | 'servicesDown' | 'datastores' | 'stores' | 'fences' | 'foreignModes'
>;

const SILENT: ObservedPbs = {
  proxy: 'silent',
  daemon: 'unknown',
  apiError: null,
  servicesDown: [],
  datastores: [],
  stores: [],
  fences: [],
  foreignModes: [],
};

async function observePbs({ pbs }: Answers, baseline: Baseline | null): Promise<ObservedPbs> {
  const [version, daemon, modes, state, services, configs] = await Promise.allSettled([
    pbs.version(),
    pbs.daemonAnswers(),
    pbs.datastores(),
    datastoreStates({ pbs }),
    pbs.services(),
    pbs.datastoreConfigs(),
  ]);
  const all = [version, daemon, modes, state, services];
  const failed = [version, modes, state, services].find((each) => each.status === 'rejected');
  const apiError = failed ? errorDocument(failed.reason) : null;
  if (all.every((each) => each.status === 'rejected')) {
    const refused = all.some((each) => each.status === 'rejected' && hasAnswered(each.reason));
    return { ...SILENT, stores: storesBefore(baseline), apiError, proxy: refused ? 'refuses' : 'silent' };
  }
  const listed = answerOf(modes) ?? [];
  const down = (answerOf(services) ?? []).filter(
    (each) =>
      each.state !== 'running' &&
      (baseline ? baseline.services.includes(each.name) : each.unitState === 'enabled'),
  );
  return {
    proxy: 'answers',
    daemon:
      daemon.status === 'fulfilled'
        ? 'answers'
        : hasAnswered(daemon.reason)
          ? 'unknown' // it refused
          : 'silent',
    apiError,
    servicesDown: down.map(({ name }) => name),
    datastores: answerOf(state) ?? [],
    stores:
      answerOf(configs)?.datastores.map(({ name, path }) => [name, path] as const) ?? storesBefore(baseline),
    fences: listed.flatMap(({ name, maintenance }) => {
      const run = runOfFence(maintenance);
      return run === null ? [] : [{ datastore: name, run }];
    }),
    foreignModes: listed.flatMap(({ name, maintenance }) =>
      maintenance && runOfFence(maintenance) === null ? [{ datastore: name, ...maintenance }] : [],
    ),
  };
}

const storesBefore = (baseline: Baseline | null): ObservedPbs['stores'] =>
  baseline?.mounts.map(({ datastore, path }) => [datastore, path] as const) ?? [];
