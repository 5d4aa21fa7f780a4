import { seeStorages, storageRemarks } from '../checks/storages.js';
import { takeInventory } from '../checks/take-inventory.js';
import { errorDocument } from '../fault.js';
import { LISTS } from '../journal/inventory.js';
import { type Run, step, warning } from './run.js';

/** From then on people are told how far it is. */
const SOON_MS = 2000;

/**
 * Journals what is in the datastores, once nothing uses them any more and before anything is upgraded: `verify`
 * compares with it. One that was taken under the fence that still stands is kept.
 * @throws Fault `inventory.unknown` (exit 75) for a datastore that cannot be listed
 */
export async function noteContents(run: Run): Promise<void> {
  const { journal, host, clock } = run;
  if (journal.state.inventory?.stands) return;
  const answers = host.answers(journal.runId, run.cache);
  const begun = clock.monotonic();
  const { inventory, remarks } = await takeInventory(answers, {
    runId: journal.runId,
    groupsSeen: run.groupsSeen ?? new Map(),
    keep: (lines) => journal.keep(LISTS, lines),
    progress: (percent, text) => {
      run.interruption.throwIfStopped();
      if (clock.monotonic() - begun > SOON_MS) step(run, 'inventory', percent, text);
    },
  });
  for (const remark of remarks) warning(run, remark);
  const storages = await seeStorages(answers).catch((error: unknown) => {
    warning(run, `storages are not compared, they cannot be seen: ${errorDocument(error).message}`);
    return [];
  });
  for (const remark of storageRemarks(storages)) warning(run, remark);
  journal.append({ type: 'inventory', inventory, storages });
}
