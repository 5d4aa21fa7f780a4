import type { Lab } from '../../src/lab/lab.js';

type Values = Readonly<Record<string, string>>;

/** What stands in the path of a route, and what its handler needs to have something to answer. */
export async function samplesOf(
  lab: Lab,
): Promise<(product: 'pve' | 'pbs', method: string, path: string) => Values> {
  const pveTask = lab.cluster.startTask({ node: 'pve1', type: 'vzdump', log: ['INFO: ok'], seconds: null });
  const pbs = lab.hosts.get('pbs01');
  const pbsTask = pbs?.startTask({
    type: 'backup',
    id: 'tank:vm/101',
    store: 'tank',
    access: 'write',
    log: ['x'],
    seconds: null,
  });
  const pid = await pbs?.machine.exec(['/bin/true']);
  const inPath: Record<'pve' | 'pbs', Values> = {
    pve: { node: 'pve1', vmid: '900', id: 'backup-nightly', upid: pveTask.upid, userid: 'pbs-ctl@pve' },
    pbs: {
      name: 'tank',
      service: 'chrony',
      upid: pbsTask?.upid ?? '',
      userid: 'pbs-ctl@pbs',
      'token-name': 'patch',
    },
  };
  const [group] = pbs?.datastoreAt('tank').groups ?? [];
  const snapshot = {
    'backup-type': group?.type ?? '',
    'backup-id': group?.id ?? '',
    'backup-time': String(group?.snapshots[0]?.time),
  };
  const given: Readonly<Record<string, Values>> = {
    'pve GET /cluster/jobs/schedule-analyze': { schedule: 'daily' },
    'pve PUT /cluster/options': { 'registered-tags': 'pbs-ctl-lock' },
    'pve PUT /nodes/{node}/qemu/{vmid}/config': { tags: 'pbs' },
    'pve PUT /nodes/{node}/lxc/{vmid}/config': { tags: 'prod' },
    'pve GET /nodes/{node}/qemu/{vmid}/agent/file-read': { file: '/etc/hostname' },
    'pve GET /nodes/{node}/qemu/{vmid}/agent/exec-status': { pid: String(pid) },
    'pve POST /nodes/{node}/qemu/{vmid}/agent/exec': { command: '/bin/true' },
    'pve POST /nodes/{node}/qemu/{vmid}/termproxy': { serial: 'serial0' },
    'pbs POST /nodes/localhost/status': { command: 'reboot' },
    'pbs GET /admin/datastore/{name}/files': snapshot,
    'pbs GET /admin/datastore/{name}/download': { ...snapshot, 'file-name': 'index.json.blob' },
    'pbs GET /admin/datastore/{name}/download-decoded': { ...snapshot, 'file-name': 'index.json.blob' },
    'pbs PUT /config/datastore/{name}': { 'maintenance-mode': 'type=read-only,message=sample' },
  };
  return (product, method, path) => {
    const parts = [...path.matchAll(/\{([\w-]+)\}/g)].map(([, name = '']) => [
      name,
      inPath[product][name] ?? '',
    ]);
    const own = Object.fromEntries(parts) as Record<string, string>;
    // Containers have a number of their own.
    if (path.includes('/lxc/')) own.vmid = '103';
    return { ...own, ...given[`${product} ${method} ${path}`] };
  };
}

export const pathOf = (template: string, values: Values): string =>
  template.replace(/\{([\w-]+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
