import { lookup } from 'node:dns/promises';
import { guestAddresses } from '../api/account.js';
import { connectPbs } from '../api/connect.js';
import { createToken, grants, neededOnPbs } from '../api/privileges.js';
import type { Pve, PveGuest } from '../api/pve.js';
import { readSecret, Secret } from '../config/secret.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import type { World } from '../world.js';
import { addressOf, givenAddress } from './address.js';
import type { Asker } from './ask.js';
import type { DraftHost } from './draft.js';
import { type Candidate, type FoundPbs, guestOf, nameFor, pbsOf } from './find.js';
import type { InitOptions } from './options.js';
import { askSecret, type NewSecret, TOKEN } from './secret.js';
import { trusted } from './trust.js';

export interface KnownHost {
  readonly draft: DraftHost;
  readonly newSecret: NewSecret | null;
}

const PORT = 8007;
const REQUEST_MS = 15_000;
/** Agents are asked one after the other; a cluster can have thousands of guests. */
const MOST_AGENTS = 40;

/** Which PBS hosts there are: those that were named, else those that the storages of the cluster lead to. */
export async function askHosts(
  options: InitOptions,
  pve: Pve | null,
  asker: Asker,
  world: World,
  folder: string,
): Promise<KnownHost[]> {
  const [storages, guests] = pve ? await Promise.all([pve.storages(), pve.guests()]) : [[], []];
  const found = pbsOf(storages);
  const wanted = options.pbs?.length
    ? options.pbs.map((text) => named(text, found))
    : await choose(found, guests, pve, asker);
  const hosts: KnownHost[] = [];
  for (const { name, pbs } of wanted) {
    const candidate = await recognise(pbs, guests, pve);
    const taken = hosts.map(({ draft }) => draft.name);
    hosts.push(
      await askHost(
        { name: name ?? nameFor(pbs, candidate, taken), pbs, candidate, guests },
        options,
        asker,
        world,
        folder,
      ),
    );
  }
  return hosts;
}

interface Wanted {
  readonly name: string | null;
  readonly pbs: FoundPbs;
}

/** `NAME=ADDRESS` or `ADDRESS`. */
function named(text: string, found: readonly FoundPbs[]): Wanted {
  const [, name = null, place = text] = /^([a-z0-9][a-z0-9._-]*)=(.+)$/.exec(text) ?? [];
  return { name, pbs: known(givenAddress(place, PORT, '--pbs'), found) };
}

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
  found: readonly FoundPbs[],
  guests: readonly PveGuest[],
  pve: Pve | null,
  asker: Asker,
): Promise<Wanted[]> {
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
  const text = await asker.ask({
    text: 'Address of the PBS',
    option: '--pbs',
    check: (answer) =>
      addressOf(answer, PORT) === null ? 'Write a name or an address, such as pbs01.example.net.' : null,
  });
  return [{ name: null, pbs: known(addressOf(text, PORT) ?? text, found) }];
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
      // A token that may not ask one agent usually may ask none.
      if (errorDocument(error).code === 'api.forbidden') break;
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

async function askHost(
  { name, pbs, candidate, guests }: Asked,
  options: InitOptions,
  asker: Asker,
  world: World,
  folder: string,
): Promise<KnownHost> {
  const endpoint = addressOf(pbs.server, pbs.port) ?? `https://${pbs.server}:${pbs.port}`;
  asker.say(`\nPBS host ${name} at ${endpoint}`);
  const pinned = pbs.fingerprint
    ? { fingerprint: pbs.fingerprint, by: `storage ${pbs.storages[0] ?? ''} of the cluster` }
    : null;
  const accepted = options.fingerprint ?? [];
  const fingerprint = await trusted({ address: endpoint, product: 'pbs', accepted, pinned }, asker, world);
  const vmid = await askGuest(name, candidate, guests, options, asker);
  const token =
    options.pbsToken ??
    (await asker.ask({
      text: 'API token',
      fallback: 'pbs-ctl@pbs!patch',
      option: '--pbs-token',
      check: TOKEN,
    }));
  const needs = neededOnPbs(pbs.datastores, { fence: true, unit: null });
  const commands = [...createToken('pbs', token), ...grants('pbs', token, needs)].map(
    (line) => `    ${line}`,
  );
  asker.say(`  If there is no such token yet, on ${name}:\n${commands.join('\n')}`);
  const given = options.pbsSecret?.replaceAll('{host}', name);
  const { reference, newSecret } = await askSecret(
    { given, option: '--pbs-secret', name, folder, token },
    asker,
    world,
  );
  const fingerprints = fingerprint === null ? [] : [fingerprint];
  const draft = {
    name,
    endpoint,
    token,
    secret: reference,
    fingerprints,
    vmid,
    addresses: [],
    datastores: pbs.datastores,
  };
  const secret = newSecret
    ? new Secret(newSecret.value, 'what was typed')
    : await readSecret(reference, world).catch(() => null);
  if (!secret) return { draft, newSecret };
  return { draft: { ...draft, datastores: await datastoresOf(draft, secret, asker, world) }, newSecret };
}

/** All of them where the token works, also those that no storage of this cluster leads to. */
async function datastoresOf(
  { name, endpoint, token, fingerprints, datastores }: DraftHost,
  secret: Secret,
  asker: Asker,
  world: World,
): Promise<readonly string[]> {
  const pbs = connectPbs({
    name,
    endpoints: [endpoint],
    tokenId: token,
    secret,
    tls: fingerprints.length > 0 ? { fingerprints: [...fingerprints] } : {},
    requestTimeoutMs: REQUEST_MS,
    env: world.env,
  });
  try {
    const { version, release } = await pbs.version();
    const seen = (await pbs.datastores()).map((each) => each.name);
    asker.say(
      `  The token is accepted: PBS ${version}.${release}, datastores ${seen.join(', ') || 'none that it may see'}.`,
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
  name: string,
  candidate: Candidate | null,
  guests: readonly PveGuest[],
  { guest: given = [] }: InitOptions,
  asker: Asker,
): Promise<number> {
  const own = given
    .map((text) => /^(?:(.+)=)?(\d+)$/.exec(text))
    .find((match) => match?.[1] === name || (match && !match[1]));
  if (own?.[2]) return Number(own[2]);
  if (candidate) asker.say(`  VM ${candidate.guest.vmid} "${candidate.guest.name}" ${candidate.because}.`);
  const vmids = new Set(guests.map(({ vmid }) => vmid));
  const text = await asker.ask({
    text: `VM that ${name} runs in (vmid)`,
    ...(candidate ? { fallback: String(candidate.guest.vmid) } : {}),
    option: `--guest ${name}=VMID`,
    check: (answer) => {
      if (!/^[1-9]\d{2,8}$/.test(answer)) return 'A vmid is a number from 100 on.';
      if (vmids.size > 0 && !vmids.has(Number(answer))) return `The cluster shows no guest ${answer}.`;
      return null;
    },
  });
  const vmid = Number(text);
  if (Number.isSafeInteger(vmid)) return vmid;
  throw new Fault('usage.guest', `--guest "${text}" is no vmid.`, { exitCode: EXIT.usage });
}
