import type { GuestConfig } from '../api/pve.js';
import { errorDocument, Fault } from '../fault.js';
import { takeSymptoms } from '../guest/symptoms.js';
import type { Host } from '../host/open.js';
import type { Sight, VmSight } from './sight.js';

/** The VM as its cluster sees it. Where its node does not answer, what the rest of the cluster knows has to do. */
export async function lookAtVm({
  guest,
  guestCluster,
  target,
}: Host): Promise<Pick<Sight, 'vm' | 'vmError'>> {
  if (!guest || !guestCluster) return { vm: null, vmError: null };
  const { pve, vmid } = guest;
  try {
    const place = await pve.findGuest(vmid);
    if (!place)
      throw new Fault(
        'pve.no-guest',
        `Guest ${vmid} of ${target.host} does not exist in cluster "${guestCluster.name}", or the token may not see it.`,
        { hint: `Check the id, and that user and token have VM.Audit on /vms/${vmid}.` },
      );
    const [nodes, status, config] = await Promise.all([
      pve.clusterStatus().then(
        (answer) => answer.nodes,
        () => [],
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
        nodeOnline: nodes.find(({ name }) => name === place.node)?.online ?? null,
        // The list shows the guests of a dead node as running for five minutes more.
        status: status.value?.status ?? 'unknown',
        qmpStatus: status.value?.qmpStatus ?? null,
        lock: status.value?.lock ?? place.lock,
        consoleUrl: consoleUrl(pve.address, { vmid, node: place.node, name: place.name, config }),
      } satisfies VmSight,
      vmError: status.error,
    };
  } catch (error) {
    return { vm: null, vmError: errorDocument(error) };
  }
}

/** The page on which PVE's own web UI shows the console; it asks for a person's login. */
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

/** Nobody answers; anything else that goes wrong is an answer. */
const SILENT = new Set([
  'agent.not-running',
  'agent.timeout',
  'agent.slow',
  'agent.unknown-pid',
  'agent.vm-stopped',
  'net.unreachable',
  'net.timeout',
  'outcome.unknown',
]);

/** The guest's own view, through its agent. */
export async function lookInside({ guest }: Host): Promise<Pick<Sight, 'agent' | 'agentError' | 'inside'>> {
  if (!guest) return { agent: 'not-asked', agentError: null, inside: null };
  try {
    return { agent: 'answers', agentError: null, inside: await takeSymptoms(guest) };
  } catch (error) {
    const agentError = errorDocument(error);
    return { agent: SILENT.has(agentError.code) ? 'silent' : 'refuses', agentError, inside: null };
  }
}
