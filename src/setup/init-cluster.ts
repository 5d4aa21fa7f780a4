import { nodeAddresses, nodeFingerprints } from '../api/account.js';
import { connectPve } from '../api/connect.js';
import { createToken, grants, neededOnPve } from '../api/privileges.js';
import type { Pve } from '../api/pve.js';
import { readSecret, Secret } from '../config/secret.js';
import { errorDocument, Fault } from '../fault.js';
import type { World } from '../world.js';
import { addressOf, givenAddress } from './address.js';
import type { Asker } from './ask.js';
import type { DraftCluster } from './draft.js';
import type { InitOptions } from './options.js';
import { askSecret, type NewSecret, TOKEN } from './secret.js';
import { look, trusted } from './trust.js';

export interface KnownCluster {
  readonly draft: DraftCluster;
  /** To ask it more; null where its token does not work yet. */
  readonly pve: Pve | null;
  readonly newSecret: NewSecret | null;
}

const PORT = 8006;
const REQUEST_MS = 15_000;
const SIDE_LOOK_MS = 2000;

/** Where the cluster is, whom to trust, which token to use. */
export async function askCluster(
  options: InitOptions,
  asker: Asker,
  world: World,
  folder: string,
): Promise<KnownCluster> {
  asker.say('The PVE cluster');
  const name =
    options.cluster ??
    (await asker.ask({
      text: 'Name of the cluster in the config',
      fallback: 'main',
      option: '--cluster',
      check: nameOnly,
    }));
  const given = options.pve?.map((text) => givenAddress(text, PORT, '--pve')) ?? [];
  const endpoints = given.length > 0 ? given : [await askAddress(asker)];
  const fingerprints: string[] = [];
  for (const address of endpoints) {
    const print = await trusted(
      { address, product: 'pve', accepted: options.fingerprint ?? [] },
      asker,
      world,
    );
    if (print !== null) fingerprints.push(print);
  }
  const token =
    options.pveToken ??
    (await asker.ask({
      text: 'API token',
      fallback: 'pbs-ctl@pve!patch',
      option: '--pve-token',
      check: TOKEN,
    }));
  // What it takes to look around; the rights on the guests follow when they are known.
  const needs = neededOnPve(null, { guests: [], carrier: null, registeredTags: false });
  const commands = [...createToken('pve', token), ...grants('pve', token, needs)].map(
    (line) => `    ${line}`,
  );
  asker.say(`  If there is no such token yet, on any node:\n${commands.join('\n')}`);
  const { reference, newSecret } = await askSecret(
    { given: options.pveSecret, option: '--pve-secret', name, folder, token },
    asker,
    world,
  );
  const draft = { name, endpoints, token, secret: reference, fingerprints, major: null };
  const secret = newSecret
    ? new Secret(newSecret.value, 'what was typed')
    : await readSecret(reference, world).catch(() => null);
  if (!secret) return { draft, pve: null, newSecret };
  const pve = connectPve({
    name,
    endpoints,
    tokenId: token,
    secret,
    tls: fingerprints.length > 0 ? { fingerprints } : {},
    requestTimeoutMs: REQUEST_MS,
    env: world.env,
  });
  try {
    const { version, major } = await pve.version();
    asker.say(`  The token is accepted: PVE ${version}.`);
    const others = given.length > 0 ? [] : await otherNodes(pve, draft, world);
    if (others.length > 0)
      asker.say(`  Further nodes that answer: ${others.map((each) => each.endpoint).join(', ')}`);
    return {
      draft: {
        ...draft,
        major,
        endpoints: [...endpoints, ...others.map(({ endpoint }) => endpoint)],
        fingerprints: [...fingerprints, ...others.map(({ fingerprint }) => fingerprint)],
      },
      pve,
      newSecret,
    };
  } catch (error) {
    await pve.close();
    if (!(error instanceof Fault)) throw error;
    asker.say(`  The token is not accepted: ${errorDocument(error).message}`);
    return { draft, pve: null, newSecret };
  }
}

const askAddress = async (asker: Asker): Promise<string> => {
  const text = await asker.ask({
    text: 'Address of a node',
    option: '--pve',
    check: (answer) =>
      addressOf(answer, PORT) === null ? 'Write a name or an address, such as pve1.example.net.' : null,
  });
  return addressOf(text, PORT) ?? text;
};

const nameOnly = (answer: string) =>
  /^[a-z0-9][a-z0-9._-]*$/.test(answer) ? null : 'Lower-case letters, digits, ".", "_" and "-".';

/**
 * Nodes that answer with the certificate that the cluster knows for them: whom the first node vouches
 * for is trusted like the first node.
 */
async function otherNodes(
  pve: Pve,
  { endpoints: [first], fingerprints }: DraftCluster,
  world: World,
): Promise<Array<{ endpoint: string; fingerprint: string }>> {
  // Where CAs are trusted, a certificate is for a name, and only addresses are known here.
  if (first === undefined || fingerprints.length === 0) return [];
  const port = new URL(first).port || String(PORT);
  try {
    const [prints, addresses] = await Promise.all([pve.look(nodeFingerprints), pve.look(nodeAddresses)]);
    const looks = [...addresses].map(async ([node, ip]) => {
      const endpoint = addressOf(ip, Number(port));
      const fingerprint = prints.get(node);
      if (endpoint === null || fingerprint === undefined || fingerprints.includes(fingerprint)) return [];
      const seen = await look(endpoint, world, SIDE_LOOK_MS);
      return seen.fingerprint === fingerprint ? [{ endpoint, fingerprint }] : [];
    });
    return (await Promise.all(looks.map((each) => each.catch(() => [])))).flat();
  } catch {
    return []; // a convenience: the endpoint that was given is enough
  }
}
