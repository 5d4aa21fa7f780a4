import { ApiFault } from '../api/failure.js';
import { namesStore } from '../api/pbs.js';
import { errorDocument } from '../fault.js';
import { isOwnFence } from '../fence/mark.js';
import type { Answers } from '../host/answers.js';
import type { Finding } from '../journal/document.js';
import { type GroupLine, readLists, type StoreInventory } from '../journal/inventory.js';
import { isUnfinished, type RunState } from '../journal/state.js';
import { type Compared, contentsFinding } from '../rules/contents-verdict.js';
import {
  compareGroups,
  type Difference,
  inWords,
  linesOf,
  namespaceOf,
  settled,
} from '../rules/inventory.js';
import { type Listing, listLimit, listStore, readAgain } from './list-store.js';

/**
 * Is everything in the datastores that was there before? Under the fence of the run nothing can have come or gone, so
 * that anything else is reported; without it, what is missing.
 * @param folder of the run, with the lists of before
 */
export async function compareContents(
  answers: Answers,
  run: RunState,
  folder: string | null,
): Promise<Finding> {
  const { inventory } = run;
  if (!inventory) return contentsFinding(null, { isOpen: isUnfinished(run), stores: [] });
  const isOpen = isUnfinished(run);
  const stores: Compared[] = [];
  const { datastores } = await answers.pbs.datastoreConfigs();
  for (const store of inventory.stores) {
    const now = datastores.find(({ name }) => name === store.name);
    const isExact =
      isOpen && inventory.stands && store.fenced && isOwnFence(now?.maintenance ?? null, run.runId);
    if (isHealed(run, store.name))
      stores.push({ ...nothing(store, isExact), remarks: [`${store.name} ${HEALED}`] });
    else
      stores.push(
        await compareStore(answers, store, { folder, isOpen, isExact, takenAt: inventory.takenAt }),
      );
  }
  return contentsFinding(inventory, { isOpen, stores });
}

const HEALED = 'was read from the folder below its mount before, so it is not compared';

/** A person has accepted that the boot has mounted what was not mounted before. */
const isHealed = ({ accepted }: RunState, store: string) =>
  accepted.some(
    ({ id, said }) => id === 'verify.mounts' && said.some((each) => each.startsWith(`${store} lay on `)),
  );

const nothing = ({ name, cached }: StoreInventory, isExact: boolean): Compared => ({
  ...{ name, isExact, isCached: cached, groups: 0, snapshots: 0 },
  ...{ missing: [], added: [], unknown: [], remarks: [], pruned: [], read: 'nothing' },
});

interface Comparing {
  readonly folder: string | null;
  readonly isOpen: boolean;
  readonly isExact: boolean;
  readonly takenAt: number;
}

async function compareStore(
  answers: Answers,
  before: StoreInventory,
  { folder, isOpen, isExact, takenAt }: Comparing,
): Promise<Compared> {
  const { contents, target } = answers;
  const { name } = before;
  const compared = nothing(before, isExact);
  const old = new Map(before.namespaces.map((each) => [each.ns, each]));
  const differing = new Map<string, readonly GroupLine[]>();
  const groupsSeen = before.namespaces.reduce((sum, { groups }) => sum + groups, 0);
  let listing: Listing;
  try {
    listing = await listStore(contents, name, {
      limitMs: listLimit(target.policy.requestTimeout, groupsSeen),
      each: ({ ns, digest }, lines) => {
        if (old.get(ns)?.digest !== digest) differing.set(ns, lines);
      },
    });
  } catch (error) {
    return { ...compared, unknown: [unseen(name, error)] };
  }
  const found = { missing: [] as string[], added: [] as string[], unknown: [] as string[] };
  const pruned: string[] = [];
  const shown = new Set(listing.namespaces.map(({ ns }) => ns));
  for (const { ns, groups } of before.namespaces)
    if (!shown.has(ns)) found.missing.push(await whyAway(answers, name, ns, groups));
  const lists = folder
    ? readLists(folder, new Set(before.namespaces.map(({ digest }) => digest)))
    : new Map();
  for (const [ns, lines] of differing) {
    const was = old.get(ns);
    if (!was) {
      if (isExact && lines.length > 0) found.added.push(`${name}: namespace ${ns} is new`);
      continue;
    }
    const list = was.groups === 0 ? [] : lists.get(was.digest);
    if (!list) {
      const is = namespaceOf(ns, lines);
      const counts = `${was.groups} groups and ${was.snapshots} snapshots before, ${is.groups} and ${is.snapshots} now`;
      found.missing.push(
        `${name}: ${nsWords(ns)} is not as it was (${counts}), and the list of before is lost`,
      );
      continue;
    }
    const judged = await judge(answers, name, ns, list, lines, isExact);
    found.unknown.push(...judged.unknown);
    const { lost, grown, fewer } = sorted(judged.differences, isExact);
    if (lost.some(({ what }) => what === 'gone') && (await isHidden(answers, name, ns)))
      found.missing.push(hiddenWords(name, ns));
    else found.missing.push(...inWords(name, ns, lost));
    found.added.push(...inWords(name, ns, grown));
    const task = fewer.length > 0 && isOpen ? await pruneSince(answers, name, takenAt) : null;
    if (!isOpen) pruned.push(...inWords(name, ns, fewer).map((each) => `${each}; perhaps pruned since`));
    else if (task) pruned.push(...inWords(name, ns, fewer).map((each) => `${each}; removed by ${task}`));
    else found.missing.push(...inWords(name, ns, fewer));
  }
  const isWhole = found.missing.length + found.unknown.length === 0;
  const reread = before.newest && isWhole ? await readAgain(contents, name, before.newest) : null;
  if (reread) found.missing.push(`${name}: ${reread}`);
  const { newest } = before;
  return {
    ...compared,
    ...found,
    pruned,
    groups: listing.namespaces.reduce((sum, { groups }) => sum + groups, 0),
    snapshots: listing.namespaces.reduce((sum, { snapshots }) => sum + snapshots, 0),
    remarks: newest?.why ? [`${name}: not compared, as before: ${newest.why}`] : [],
    read: reread || !newest?.manifest ? 'nothing' : newest.blob ? 'blob' : 'manifest',
  };
}

/** Where something else could change it only a prune job explains that snapshots are missing. */
function sorted(differences: readonly Difference[], isExact: boolean) {
  const grown = differences.filter(({ what }) => what === 'new' || what === 'more');
  const fewer = isExact ? [] : differences.filter(({ what }) => what === 'fewer');
  return { grown, fewer, lost: differences.filter((each) => !grown.includes(each) && !fewer.includes(each)) };
}

async function judge(
  { contents }: Answers,
  store: string,
  ns: string,
  before: readonly GroupLine[],
  now: readonly GroupLine[],
  isExact: boolean,
): Promise<{ differences: readonly Difference[]; unknown: readonly string[] }> {
  const { differences, doubts } = compareGroups(before, now, isExact);
  const unknown: string[] = [];
  const more: Difference[] = [];
  for (const doubt of doubts) {
    const [type = '', id = ''] = doubt.group.split('/');
    try {
      const difference = settled(doubt, await contents.snapshotTimes({ store, ns, type, id }));
      if (difference) more.push(difference);
    } catch (error) {
      unknown.push(unseen(`${store}: ${doubt.group}`, error));
    }
  }
  return { differences: [...differences, ...more], unknown };
}

const nsWords = (ns: string) => (ns === '' ? 'its root namespace' : `namespace ${ns}`);
const hiddenWords = (store: string, ns: string) =>
  `${store}: the token may not see ${nsWords(ns)} any more: Datastore.Audit on ${pathOf(store, ns)} was taken away`;
const unseen = (what: string, error: unknown) => `${what} cannot be listed: ${errorDocument(error).message}`;
const pathOf = (store: string, ns: string) => `/datastore/${store}${ns === '' ? '' : `/${ns}`}`;

/** A namespace that is not listed is gone, or the token may not see it any more. */
async function whyAway({ contents }: Answers, store: string, ns: string, groups: number): Promise<string> {
  try {
    const lines = linesOf(await contents.groups(store, ns));
    return `${store}: ${nsWords(ns)} is not listed any more, and has ${lines.length} groups`;
  } catch (error) {
    if (error instanceof ApiFault && error.status === 403) return hiddenWords(store, ns);
    return `${store}: ${nsWords(ns)} is gone, with ${groups} group${groups === 1 ? '' : 's'}`;
  }
}

/** With less than Datastore.Audit only groups of one's own are listed. */
const isHidden = ({ pbs }: Answers, store: string, ns: string): Promise<boolean> =>
  pbs.permissions(pathOf(store, ns)).then(
    (held) => !held.has('Datastore.Audit'),
    () => false,
  );

/** So many tasks of the last minutes are looked at; PBS lists the newest first. */
const TASKS = 500;

/** The prune task that a datastore has had since then; null where there is none that is known. */
async function pruneSince({ pbs }: Answers, store: string, since: number): Promise<string | null> {
  const tasks = await pbs.recentTasks(TASKS).catch(() => []);
  const found = tasks.find(
    (task) => /^prune(?:job)?$/.test(task.type) && task.startedAt >= since && namesStore(task, store),
  );
  return found ? `${found.type} ${found.id} (${found.upid})` : null;
}
