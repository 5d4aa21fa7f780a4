import { lookAtCertificate, type SeenCertificate } from '../api/certificate.js';
import { NotConnected } from '../api/trust.js';
import { EXIT, Fault } from '../fault.js';
import { utcDay } from '../moment.js';
import type { World } from '../world.js';
import type { Asker } from './ask.js';

const LIMIT_MS = 10_000;

export interface Trusting {
  readonly address: string;
  readonly product: 'pbs' | 'pve';
  /** Fingerprints that were given beforehand. */
  readonly accepted: readonly string[];
  /** Where somebody who is trusted already pins a fingerprint for this server. */
  readonly pinned?: { readonly fingerprint: string; readonly by: string } | null;
}

/**
 * Decides how a server is to be trusted: its fingerprint, or null where the CAs of the system vouch for it.
 * No token is sent before.
 * @throws Fault `net.unreachable`, `init.untrusted`
 */
export async function trusted(
  { address, product, accepted, pinned = null }: Trusting,
  asker: Asker,
  world: World,
): Promise<string | null> {
  const seen = await look(address, world, LIMIT_MS);
  if (!seen.distrust) {
    asker.say(`  ${address}: certificate of "${seen.subject}", issued by a CA that this system trusts`);
    return null;
  }
  const { fingerprint, subject, validTo } = seen;
  asker.say(
    `  Its certificate names "${subject}" and is valid until ${utcDay(validTo)}:\n    ${fingerprint}`,
  );
  if (accepted.some((each) => each.toUpperCase() === fingerprint)) {
    asker.say('  It is one that was given with --fingerprint.');
    return fingerprint;
  }
  if (pinned?.fingerprint === fingerprint) {
    asker.say(`  It is the one that ${pinned.by} pins.`);
    return fingerprint;
  }
  if (pinned) asker.say(`  Careful: ${pinned.by} pins another one:\n    ${pinned.fingerprint}`);
  const command = product === 'pbs' ? 'proxmox-backup-manager cert info' : 'pvenode cert info';
  asker.say(`  Compare it with what this says on that machine: ${command}`);
  if (await asker.confirm({ text: 'Is it the same', option: `--fingerprint ${fingerprint}` }))
    return fingerprint;
  throw new Fault('init.untrusted', `The fingerprint of ${address} was not confirmed; nothing was written.`, {
    hint: `If it is the right one: --fingerprint ${fingerprint}`,
    exitCode: EXIT.failed,
  });
}

/** @throws Fault `net.unreachable` */
export async function look(address: string, world: World, limitMs: number): Promise<SeenCertificate> {
  try {
    return await lookAtCertificate(address, { tls: {}, env: world.env, connectTimeoutMs: limitMs });
  } catch (error) {
    if (!(error instanceof NotConnected)) throw error;
    throw new Fault('net.unreachable', `Cannot reach ${address}: ${error.message}; nothing was written.`, {
      hint: 'Check that the machine is up, the address right, and nothing in between blocks the port.',
      exitCode: EXIT.failed,
    });
  }
}
