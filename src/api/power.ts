import type { GuestPlaces } from './guest-places.js';
import type { Server } from './request.js';
import { Upid } from './tasks.js';

/** Switches a VM, once. @returns the UPID */
export function switchVm(
  server: Server,
  places: GuestPlaces,
  vmid: number,
  action: 'start' | 'reset',
): Promise<string> {
  const needs = { privilege: 'VM.PowerMgmt', path: `/vms/${vmid}` };
  return places.on(vmid, (path) =>
    server.ask({ method: 'POST', path: `${path}/status/${action}`, needs }, Upid),
  );
}
