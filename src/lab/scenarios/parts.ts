import type { Landscape } from './scenario.js';

export const TANK = '/mnt/datastore/tank';
export const pbs01 = (lab: Landscape) => {
  const host = lab.hosts.get('pbs01');
  if (!host) throw new Error('the lab has no pbs01');
  return host;
};
export const carrier = (lab: Landscape) => {
  const guest = lab.cluster.guests.get(900);
  if (!guest) throw new Error('the lab has no guest 900');
  return guest;
};
export const lockTag = (expiresIn: number) =>
  `pbs-ctl-lock+pve-patching+r00001+${Math.floor(Date.now() / 1000) + expiresIn}`;
export const localTime = (inSeconds: number) => {
  const at = new Date(Date.now() + inSeconds * 1000);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
};
/** Does something the moment the upgrade in pbs01 begins. */
export const atUpgrade = (lab: Landscape, act: () => void) =>
  lab.record.onEntry((entry) => {
    if ('kind' in entry && entry.kind === 'upgrade-started') act();
  });
