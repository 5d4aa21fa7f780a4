import { lookup } from 'node:dns/promises';
import { guestAddresses } from '../api/account.js';
import { connectPbs } from '../api/connect.js';
import { neededOnPbs } from '../api/privileges.js';
import type { Pve, PveGuest } from '../api/pve.js';
import { name as nameField, vmid as vmidField } from '../config/fields.js';
import type { Secret } from '../config/secret.js';
import { errorDocument, Fault } from '../fault.js';
import type { DraftHost } from './draft.js';
import { type Candidate, type FoundPbs, guestOf, nameFor, pbsOf } from './find.js';
import {
  addressOf,
  answered,
  askAccess,
  askAddress,
  askTrust,
  fits,
  type Interview,
  type NewSecret,
} from './interview.js';

interface KnownHost {
  readonly draft: DraftHost;
  readonly newSecret: NewSecret | null;
}

const PORT = 8007;
const REQUEST_MS = 15_000;
/** Agents are asked one after the other; a cluster can have thousands of guests. */
const MOST_AGENTS = 40;

/** The PBS hosts: those given, else those that the storages of the cluster lead to. */
export async function askHosts(interview: Interview, pve: Pve | null): Promise<KnownHost[]> {
  const [storages, guests] = pve ? await Promise.all([pve.storages(), pve.guests()]) : [[], []];
  const found = pbsOf(storages);
  const given = interview.options.pbs ?? [];
  const wanted: Wanted[] = [];
  for (const text of given) wanted.push(await named(interview, text, found));
  if (given.length === 0) wanted.push(...(await choose(interview, found, guests, pve)));
  const hosts: KnownHost[] = [];
  for (const { name, pbs } of wanted) {
    const candidate = await recognise(pbs, guests, pve);
    const taken = hosts.map(({ draft }) => draft.name);
    hosts.push(
      await askHost(interview, { name: name ?? nameFor(pbs, candidate, taken), pbs, candidate, guests }),
    );
  }
  return hosts;
}

interface Wanted {
  readonly name: string | null;
  readonly pbs: FoundPbs;
}

/** `NAME=ADDRESS` or `ADDRESS`. */
async function named(interview: Interview, text: string, found: readonly FoundPbs[]): Promise<Wanted> {
  const [start = '', ...rest] = text.split('=');
  const name = rest.length > 0 && fits(nameField)(start) === null ? start : null;
  const place = name === null ? text : rest.join('=');
  return { name, pbs: known(await addressOfPbs(interview, place), found) };
}

const addressOfPbs = (interview: Interview, given?: string) =>
  askAddress(interview, given, { text: 'Address of the PBS', option: '--pbs', port: PORT });

function known(address: string, found: readonly FoundPbs[]): FoundPbs {
  const { hostname, port } = new URL(address);
  const server = hostname.replace(/^\[|\]$/g, '');
  const place = { server, port: Number(port || 443) };
  return (
    found.find((each) => each.server === server && each.port === place.port) ?? {
      ...place,
      datastores: [],
      storages: [],
      fingerprint: null,
    }
  );
}

async function choose(
  interview: Interview,
  found: readonly FoundPbs[],
  guests: readonly PveGuest[],
  pve: Pve | null,
): Promise<Wanted[]> {
  const { asker } = interview;
  const wanted: Wanted[] = [];
  for (const pbs of found) {
    const candidate = await recognise(pbs, guests, pve);
    const vm = candidate ? `, VM ${candidate.guest.vmid} "${candidate.guest.name}"` : '';
    asker.say(`\nPBS at ${pbs.server}:${pbs.port} (storages ${pbs.storages.join(', ')}${vm})`);
    if (await asker.confirm({ text: 'Patch it with pbs-ctl', option: '--pbs' }, true))
      wanted.push({ name: null, pbs });
  }
  if (wanted.length > 0) return wanted;
  asker.say('\nThe PBS host');
  return [{ name: null, pbs: known(await addressOfPbs(interview), found) }];
}

async function recognise(
  pbs: FoundPbs,
  guests: readonly PveGuest[],
  pve: Pve | null,
): Promise<Candidate | null> {
  const byName = guestOf(pbs, guests, new Map());
  if (byName || !pve) return byName;
  const places = await lookup(pbs.server, { all: true }).then(
    (all) => all.map(({ address }) => address),
    () => [pbs.server],
  );
  return guestOf(pbs, guests, await addressesOf(guests, pve), places);
}

async function addressesOf(guests: readonly PveGuest[], pve: Pve): Promise<Map<number, readonly string[]>> {
  const addresses = new Map<number, readonly string[]>();
  const running = guests.filter(({ type, status }) => type === 'qemu' && status === 'running');
  for (const { node, vmid } of running.slice(0, MOST_AGENTS)) {
    try {
      addresses.set(vmid, await pve.look(guestAddresses(node, vmid)));
    } catch (error) {
      // A token that may not ask one agent usually may not ask any.
      if (error instanceof Fault && error.denied === 'privilege') break;
    }
  }
  return addresses;
}

interface Asked {
  readonly name: string;
  readonly pbs: FoundPbs;
  readonly candidate: Candidate | null;
  readonly guests: readonly PveGuest[];
}

async function askHost(interview: Interview, { name, pbs, candidate, guests }: Asked): Promise<KnownHost> {
  const endpoint = addressOf(pbs.server, pbs.port) ?? `https://${pbs.server}:${pbs.port}`;
  interview.asker.say(`\nPBS host ${name} at ${endpoint}`);
  const pinned = pbs.fingerprint
    ? { fingerprint: pbs.fingerprint, by: `storage ${pbs.storages[0] ?? ''} of the cluster` }
    : null;
  const fingerprint = await askTrust(interview, endpoint, 'pbs', pinned);
  const vmid = await askGuest(interview, name, candidate, guests);
  const needs = neededOnPbs(pbs.datastores, { fence: true, unit: null });
  const access = await askAccess(interview, { product: 'pbs', name, where: name, needs });
  const { token, reference, newSecret, secret } = access;
  const draft = {
    name,
    endpoint,
    token,
    secret: reference,
    fingerprints: fingerprint === null ? [] : [fingerprint],
    vmid,
    addresses: [],
    datastores: pbs.datastores,
  };
  if (!secret) return { draft, newSecret };
  return { draft: { ...draft, datastores: await datastoresOf(interview, draft, secret) }, newSecret };
}

/** All of them where the token works, even those that no storage of this cluster leads to. */
async function datastoresOf(
  { asker, world }: Interview,
  { name, endpoint, token, fingerprints, datastores }: DraftHost,
  secret: Secret,
): Promise<readonly string[]> {
  const pbs = connectPbs({
    name,
    endpoints: [endpoint],
    tokenId: token,
    secret,
    tls: fingerprints.length > 0 ? { fingerprints: [...fingerprints] } : {},
    requestTimeoutMs: REQUEST_MS,
    world,
  });
  try {
    const { version, release } = await pbs.version();
    const seen = (await pbs.datastores()).map((each) => each.name);
    asker.say(
      `  The token is accepted: PBS ${version}.${release}, datastores ${seen.join(', ') || 'none visible to it'}.`,
    );
    return [...new Set([...datastores, ...seen])].sort();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    asker.say(`  The token is not accepted: ${errorDocument(error).message}`);
    return datastores;
  } finally {
    await pbs.close();
  }
}

async function askGuest(
  interview: Interview,
  name: string,
  candidate: Candidate | null,
  guests: readonly PveGuest[],
): Promise<number> {
  const { options, asker } = interview;
  const given = (options.guest ?? [])
    .map((text) => /^(?:(.+)=)?(\d+)$/.exec(text))
    .find((match) => match?.[1] === name || (match && !match[1]))?.[2];
  if (candidate && given === undefined)
    asker.say(`  VM ${candidate.guest.vmid} "${candidate.guest.name}" ${candidate.because}.`);
  const vmids = new Set(guests.map(({ vmid }) => vmid));
  const text = await answered(interview, given, {
    text: `VM that ${name} runs in (vmid)`,
    ...(candidate ? { fallback: String(candidate.guest.vmid) } : {}),
    option: `--guest ${name}=VMID`,
    check: (answer) => {
      if (!vmidField.safeParse(Number(answer)).success) return 'a vmid is a number from 100';
      // A guest given by an option may be hidden from a token that lacks privileges.
      if (given === undefined && vmids.size > 0 && !vmids.has(Number(answer)))
        return `the cluster shows no guest ${answer}`;
      return null;
    },
  });
  return Number(text);
}
