import { isIP } from 'node:net';
import { guestAddresses } from '../api/account.js';
import type { World } from '../world.js';
import type { Guest } from './exec.js';

/**
 * Whether a guest that is up has lost the address that its endpoint names: what it has instead, in words; null where
 * it has it, or where that cannot be seen.
 */
export async function addressGone(
  { pve, vmid }: Guest,
  endpoint: string,
  addressesOf: World['addressesOf'],
): Promise<string | null> {
  const name = new URL(endpoint).hostname.replace(/^\[|\]$/g, '');
  const [place, wanted] = await Promise.all([pve.findGuest(vmid), isIP(name) ? [name] : addressesOf(name)]);
  if (!place || wanted.length === 0) return null;
  const held = await pve.look(guestAddresses(place.node, vmid));
  if (wanted.some((each) => held.includes(each))) return null;
  return `none of its interfaces has ${wanted.join(' or ')}, the address of its endpoint (it has: ${held.join(', ') || 'none'})`;
}
