import { errorDocument } from '../fault.js';
import { runReading, sh } from '../guest/exec.js';
import { lockOf } from '../lock/cluster-lock.js';
import { look as lookAtLock } from '../lock/lock.js';
import { runsOf } from '../patch/journal.js';
import { isUnfinished } from '../patch/state.js';
import type { Site } from '../site.js';
import { verifyOnce } from '../verify/verify.js';
import type { Sight } from './sight.js';

const PROBE_MS = 5000;
const JOURNAL =
  'journalctl -q --no-pager -o cat -n 8 -u proxmox-backup.service; journalctl -q --no-pager -o cat -n 8 -u proxmox-backup-proxy.service; exit 0';
const OWN_FENCE = /^pbs-ctl run ([a-z0-9]+)\b/;

/** Looks at a host from outside in; whatever does not answer is part of what is seen. Reads only. */
export async function lookAt(site: Site, stateDir: string): Promise<Sight> {
  const { target, guest } = site;
  const runs = runsOf(stateDir, target.host);
  const [machine, inside, api, locks] = await Promise.all([
    vm(site),
    guestView(site),
    apiView(site),
    locksOf(site),
  ]);
  const baseline = runs.findLast((run) => run.baseline)?.baseline ?? null;
  const verification = api.proxy === 'answers' ? await verifyOnce(site.facts(null), baseline, null) : null;
  return {
    host: target.host,
    ...machine,
    agent: guest === null ? 'not-asked' : inside ? 'answers' : 'silent',
    inside,
    ...api,
    servicesDown: api.services.filter((name) => baseline === null || baseline.services.includes(name)),
    locks,
    verification: verification && { ok: verification.ok, findings: verification.findings },
    unfinishedRun: runs.findLast(isUnfinished)?.runId ?? null,
  };
}

async function vm({ guest, guestCluster }: Site): Promise<Pick<Sight, 'vm' | 'vmError'>> {
  if (!guest || !guestCluster) return { vm: null, vmError: null };
  const { pve, vmid } = guest;
  try {
    const [place, { status, qmpStatus, lock }] = await Promise.all([
      pve.findGuest(vmid),
      pve.guestStatus(vmid),
    ]);
    const node = place?.node ?? 'unknown';
    const [endpoint = ''] = guestCluster.config.endpoints;
    const consoleUrl = `${endpoint}/?console=kvm&novnc=1&vmid=${vmid}&node=${node}&resize=off`;
    return {
      vm: { vmid, cluster: guestCluster.name, node, status, qmpStatus, lock, consoleUrl },
      vmError: null,
    };
  } catch (error) {
    return { vm: null, vmError: errorDocument(error) };
  }
}

async function guestView({ guest, facts }: Site): Promise<Sight['inside']> {
  if (!guest) return null;
  try {
    const survey = await facts(null).survey();
    const { stdout } = await runReading(guest, sh(JOURNAL), 15_000);
    const mounted = new Set(survey.mounts.map(({ target }) => target));
    return {
      kernel: survey.kernel,
      failedUnits: survey.failedUnits,
      missingMounts: survey.fstab.filter((target) => target.startsWith('/') && !mounted.has(target)),
      audit: survey.audit,
      journal: stdout.split('\n').filter((line) => line !== '' && !line.startsWith('-- ')),
    };
  } catch {
    return null;
  }
}

type ApiView = Pick<Sight, 'proxy' | 'daemon' | 'apiError' | 'datastores' | 'fences'> & {
  readonly services: readonly string[];
};

async function apiView({ pbs, facts }: Site): Promise<ApiView> {
  const silent: ApiView = {
    proxy: 'silent',
    daemon: 'silent',
    apiError: null,
    datastores: [],
    fences: [],
    services: [],
  };
  try {
    await pbs.probe(PROBE_MS);
  } catch (error) {
    const apiError = errorDocument(error);
    return { ...silent, apiError, proxy: apiError.code.startsWith('api.') ? 'answers' : 'silent' };
  }
  const daemon = await pbs.daemonAnswers(PROBE_MS).then(
    () => 'answers' as const,
    () => 'silent' as const,
  );
  try {
    const { hostState } = await import('../verify/baseline.js');
    const [state, stores, services] = await Promise.all([
      hostState(facts(null)),
      pbs.datastores(),
      pbs.services(),
    ]);
    return {
      proxy: 'answers',
      daemon,
      apiError: null,
      datastores: state.datastores,
      fences: stores.flatMap(({ name, maintenance }) => {
        const run = OWN_FENCE.exec(maintenance?.message ?? '')?.[1];
        return run === undefined ? [] : [{ datastore: name, run }];
      }),
      services: services
        .filter((each) => each.state !== 'running' && each.unitState === 'enabled')
        .map(({ name }) => name),
    };
  } catch (error) {
    return { ...silent, proxy: 'answers', daemon, apiError: errorDocument(error) };
  }
}

async function locksOf({ clusters, target, facts }: Site): Promise<Sight['locks']> {
  const found = await Promise.all(
    clusters.map(async (cluster) => {
      const standing = await lookAtLock(lockOf(cluster, facts(null).clock, 0)).catch(() => null);
      if (standing?.kind !== 'held' || standing.lock.owner !== target.host) return [];
      return [
        {
          cluster: cluster.name,
          owner: standing.lock.owner,
          run: standing.lock.run,
          expired: standing.expired,
        },
      ];
    }),
  );
  return found.flat();
}
