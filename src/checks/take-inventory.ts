import { EXIT, errorDocument, Fault } from '../fault.js';
import { isOwnFence } from '../fence/mark.js';
import type { Answers } from '../host/answers.js';
import { type Inventory, listLine, type StoreInventory } from '../journal/inventory.js';
import { Interrupted } from '../world.js';
import { listLimit, listStore, readNewest } from './list-store.js';

interface Taking {
  /** Its fence keeps everything as it is. */
  readonly runId: string;
  /** Groups of each datastore when they were counted last. */
  readonly groupsSeen: ReadonlyMap<string, number>;
  /** Keeps lines of the file with the lists. */
  readonly keep: (lines: string) => void;
  /** Told of each namespace; throws to stop. */
  readonly progress: (percent: number, text: string) => void;
}

/**
 * What is in every datastore, one call after the other, sorted.
 * @returns `remarks`: what was wrong already, or is not compared
 * @throws Fault `inventory.unknown` (exit 75) for a datastore that cannot be listed
 */
export async function takeInventory(
  answers: Answers,
  taking: Taking,
): Promise<{ readonly inventory: Inventory; readonly remarks: readonly string[] }> {
  const { pbs } = answers;
  const [{ datastores }, listed, { epochSeconds: takenAt }] = await Promise.all([
    pbs.datastoreConfigs(),
    pbs.datastores(),
    pbs.time(),
  ]);
  const stores: StoreInventory[] = [];
  const remarks: string[] = [];
  for (const { name, isS3 } of datastores) {
    // The config may be known from before the fence.
    const { mounted = null, maintenance = null } = listed.find((each) => each.name === name) ?? {};
    if (mounted === false) {
      remarks.push(`${name} is not mounted, so what is in it is not compared`);
      continue;
    }
    const about = { name, fenced: isOwnFence(maintenance, taking.runId), cached: isS3 };
    const { remarks: own, ...contents } = await contentsOf(answers, name, taking);
    stores.push({ ...about, ...contents });
    remarks.push(...own.map((each) => `before the upgrade: ${each}`));
  }
  return { inventory: { takenAt, stores }, remarks };
}

async function contentsOf(
  { contents, target: { host, policy } }: Answers,
  name: string,
  { groupsSeen, keep, progress }: Taking,
): Promise<Pick<StoreInventory, 'namespaces' | 'newest'> & { readonly remarks: readonly string[] }> {
  const lists: string[] = [];
  const { namespaces, newest } = await listStore(contents, name, {
    limitMs: listLimit(policy.requestTimeout, groupsSeen.get(name) ?? null),
    each: ({ ns, digest, groups }, lines, of) => {
      lists.push(listLine(digest, lines));
      progress((lists.length / of) * 100, `${name}${ns === '' ? '' : `/${ns}`}: ${groups} groups`);
    },
  }).catch((cause: unknown) => {
    if (cause instanceof Interrupted) throw cause;
    const { message, hint } = errorDocument(cause);
    throw new Fault(
      'inventory.unknown',
      `What is in datastore ${name} of ${host} cannot be listed, so it could not be compared after the reboot: ${message}`,
      { hint: hint ?? 'Settle that first; no package was changed.', exitCode: EXIT.tryLater, cause },
    );
  });
  keep(lists.join(''));
  if (!newest) return { namespaces, newest: null, remarks: [] };
  return { namespaces, ...(await readNewest(contents, newest, policy.verifyRead)) };
}
