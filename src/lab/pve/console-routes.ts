import { flag, oneOf, optional, text, whole } from '../parameters.js';
import type { PveCluster } from './cluster.js';
import type { Consoles } from './consoles.js';
import { guestAt } from './guest-routes.js';
import { PveError, type PveRoute } from './server.js';

/** Consoles of VMs. They run on the node that was asked, not on the one in the path. */
export function consoleRoutes(cluster: PveCluster, consoles: Consoles): PveRoute[] {
  const needs = (params: Readonly<Record<string, unknown>>) =>
    [`/vms/${params.vmid}`, ['VM.Console']] as const;
  return [
    {
      method: 'POST',
      path: '/nodes/{node}/qemu/{vmid}/vncproxy',
      params: { websocket: optional(flag), 'generate-password': optional(flag) },
      needs,
      handle: ({ params, tokenId, receiver }) =>
        consoles.open(guestAt(cluster, params, 'qemu'), {
          kind: 'vnc',
          serial: '',
          tokenId,
          receiver,
        }),
    },
    {
      method: 'POST',
      path: '/nodes/{node}/qemu/{vmid}/termproxy',
      params: { serial: optional(oneOf('serial0', 'serial1', 'serial2', 'serial3')) },
      needs,
      handle: ({ params, tokenId, receiver }) => {
        const guest = guestAt(cluster, params, 'qemu');
        const serial = String(params.serial ?? guest.config.vga ?? '');
        if (guest.config[serial] !== 'socket') throw new PveError(`no serial interface '${serial}' defined`);
        return consoles.open(guest, { kind: 'term', serial, tokenId, receiver });
      },
    },
    {
      // As a websocket it is answered elsewhere; this is what an ordinary request gets.
      method: 'GET',
      path: '/nodes/{node}/qemu/{vmid}/vncwebsocket',
      params: { port: whole, vncticket: text },
      needs,
      handle: () => {
        throw new PveError('permission denied - invalid PVEVNC ticket', 401);
      },
    },
  ];
}
