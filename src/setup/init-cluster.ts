import { nodeAddresses, nodeFingerprints } from '../api/account.js';
import { connectPve } from '../api/connect.js';
import { neededOnPve } from '../api/privileges.js';
import type { Pve } from '../api/pve.js';
import { name as nameField } from '../config/fields.js';
import { errorDocument, Fault } from '../fault.js';
import type { World } from '../world.js';
import type { DraftCluster } from './draft.js';
import {
  addressOf,
  answered,
  askAccess,
  askAddress,
  askTrust,
  fits,
  type Interview,
  type NewSecret,
  seenAt,
} from './interview.js';

interface KnownCluster {
  readonly draft: DraftCluster;
  /** For further requests; null where its token does not work yet. */
  readonly pve: Pve | null;
  readonly newSecret: NewSecret | null;
}

const PORT = 8006;
const REQUEST_MS = 15_000;
const SIDE_LOOK_MS = 2000;

/** Where the cluster is, which certificates to trust, which token to use. */
export async function askCluster(interview: Interview): Promise<KnownCluster> {
  const { options, asker, world } = interview;
  asker.say('The PVE cluster');
  const name = await answered(interview, options.cluster, {
    text: 'Name of the cluster in the config',
    fallback: 'main',
    option: '--cluster',
    check: fits(nameField),
  });
  const given = options.pve ?? [];
  const endpoints: string[] = [];
  for (const text of given.length > 0 ? given : [undefined])
    endpoints.push(
      await askAddress(interview, text, { text: 'Address of a node', option: '--pve', port: PORT }),
    );
  const fingerprints: string[] = [];
  for (const address of endpoints) {
    const print = await askTrust(interview, address, 'pve');
    if (print !== null) fingerprints.push(print);
  }
  // To look around; the privileges on guests follow once these are known.
  const needs = neededOnPve(null, { guests: [], carrier: null, registeredTags: false });
  const access = await askAccess(interview, { product: 'pve', name, where: 'any node', needs });
  const { token, reference, newSecret, secret } = access;
  const draft = { name, endpoints, token, secret: reference, fingerprints, major: null };
  if (!secret) return { draft, pve: null, newSecret };
  const pve = connectPve({
    name,
    endpoints,
    tokenId: token,
    secret,
    tls: fingerprints.length > 0 ? { fingerprints } : {},
    requestTimeoutMs: REQUEST_MS,
    world,
  });
  try {
    const { version, major } = await pve.version();
    asker.say(`  The token is accepted: PVE ${version}.`);
    const others = given.length > 0 ? [] : await otherNodes(pve, draft, world);
    if (others.length > 0)
      asker.say(`  Other nodes that answer: ${others.map((each) => each.endpoint).join(', ')}`);
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

/**
 * Nodes that answer with the certificate that the cluster knows for them: those that the first node vouches for
 * are trusted like the first node.
 */
async function otherNodes(
  pve: Pve,
  { endpoints: [first], fingerprints }: DraftCluster,
  world: World,
): Promise<Array<{ endpoint: string; fingerprint: string }>> {
  // Certificates of a CA are for names, and only addresses are known here.
  if (first === undefined || fingerprints.length === 0) return [];
  const port = new URL(first).port || String(PORT);
  try {
    const [prints, addresses] = await Promise.all([pve.look(nodeFingerprints), pve.look(nodeAddresses)]);
    const looks = [...addresses].map(async ([node, ip]) => {
      const endpoint = addressOf(ip, Number(port));
      const fingerprint = prints.get(node);
      if (endpoint === null || fingerprint === undefined || fingerprints.includes(fingerprint)) return [];
      const seen = await seenAt(endpoint, world, SIDE_LOOK_MS);
      return seen.fingerprint === fingerprint ? [{ endpoint, fingerprint }] : [];
    });
    return (await Promise.all(looks.map((each) => each.catch(() => [])))).flat();
  } catch {
    return []; // a convenience: the given endpoint is enough
  }
}
