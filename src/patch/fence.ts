import type { DatastoreConfigs, Maintenance } from '../api/pbs.js';
import { fenceMessage, isOwnFence, runOfFence } from '../fence/mark.js';
import { MaintenanceModes } from '../fence/modes.js';
import { isoFromMs } from '../moment.js';
import { note, type Run, requireLock, warning } from './run.js';

/** Puts every datastore that has no maintenance mode yet into read-only; those of others stay as they are. */
export async function fence(run: Run): Promise<string> {
  const { pbs, target } = run.host;
  const configs = await pbs.datastoreConfigs();
  inherit(run, configs);
  if (target.policy.fence === 'none') return 'no fence, by policy';
  const fenced: string[] = [];
  const left: string[] = [];
  const modes = new MaintenanceModes(pbs, configs);
  for (const name of modes.names()) {
    run.interruption.throwIfStopped();
    await requireLock(run);
    await modes.change(name, async (maintenance, set) => {
      if (isOwnFence(maintenance, run.journal.runId)) {
        if (!run.journal.state.fenced.includes(name)) run.journal.append({ type: 'fenced', datastore: name });
        fenced.push(name);
      } else if (isInherited(run, maintenance)) {
        left.push(`${name} (the fence of run ${runOfFence(maintenance)}, lifted after verify)`);
      } else if (maintenance) {
        left.push(`${name} (${maintenance.type} set by another user)`);
      } else {
        run.journal.append({ type: 'fence-intended', datastore: name });
        const message = fenceMessage(run.journal.runId, isoFromMs(run.clock.now()));
        await set({ type: 'read-only', message });
        run.journal.append({ type: 'fenced', datastore: name });
        fenced.push(name);
      }
    });
  }
  for (const text of left) note(run, `maintenance mode of ${text} is left as it is`);
  return fenced.length === 0 ? 'no datastore to fence' : `read-only: ${fenced.join(', ')}`;
}

/** The fences of a run whose lock was taken over. */
function inherit({ journal }: Run, { datastores }: DatastoreConfigs): void {
  const { tookOver, inherited } = journal.state;
  for (const { name, maintenance } of datastores) {
    const run = runOfFence(maintenance);
    const isKnown = inherited.some((each) => each.run === run && each.datastore === name);
    if (run !== null && tookOver.includes(run) && !isKnown)
      journal.append({ type: 'inherits', run, datastore: name });
  }
}

/** A fence of an earlier run of this host that has ended. */
const isInherited = ({ journal }: Run, maintenance: Maintenance | null): boolean =>
  journal.state.inherited.some((each) => isOwnFence(maintenance, each.run));

/** After verify: what this run has put up, and what earlier runs of this host had to leave. */
export const unfenceAll = (run: Run): Promise<string> => unfence(run, true);

/**
 * Takes away what this run has put up, and nothing else.
 * @param inherited also fences of earlier runs of this host, which only a verification allows
 * @throws the Fault of a datastore that could not be changed
 */
export async function unfence(run: Run, inherited = false): Promise<string> {
  const { pbs } = run.host;
  const { fenced, inherited: earlier } = run.journal.state;
  const left = [...fenced, ...(inherited ? earlier.map(({ datastore }) => datastore) : [])];
  const lifted: string[] = [];
  const others = new Map<string, Maintenance>();
  const modes = new MaintenanceModes(pbs, await pbs.datastoreConfigs());
  // The journal tells what was intended, the server what is true: both are asked.
  for (const name of new Set([...modes.names(), ...left])) {
    await modes.change(name, async (maintenance, set) => {
      if (isOwnFence(maintenance, run.journal.runId) || (inherited && isInherited(run, maintenance))) {
        await set(null);
        lifted.push(name);
      } else if (maintenance) others.set(name, maintenance);
    });
    if (left.includes(name)) run.journal.append({ type: 'unfenced', datastore: name });
  }
  tellOthers(run, others);
  return lifted.length === 0 ? 'nothing to lift' : `lifted: ${lifted.join(', ')}`;
}

/** Of a fence that another has lifted nothing is left behind. */
export async function forgetLifted({ host, journal }: Run): Promise<void> {
  const { datastores } = await host.pbs.datastoreConfigs();
  for (const name of journal.state.fenced) {
    const found = datastores.find((each) => each.name === name);
    if (!isOwnFence(found?.maintenance ?? null, journal.runId))
      journal.append({ type: 'unfenced', datastore: name });
  }
}

/** What still refuses backups and is not of this run. */
function tellOthers(run: Run, others: ReadonlyMap<string, Maintenance>): void {
  const { journal, host } = run;
  const fences = [...others].flatMap(([datastore, maintenance]) => {
    const other = runOfFence(maintenance);
    return other === null ? [] : [{ run: other, datastore }];
  });
  if (fences.length > 0 || journal.state.otherFences.length > 0)
    journal.append({ type: 'other-fences', fences });
  const texts = [...others].map(([name, maintenance]) => {
    const other = runOfFence(maintenance);
    return other === null
      ? `${name} stays in maintenance mode ${maintenance.type}, which another user set`
      : `${name} still refuses backups: it is fenced by run ${other}. Once that has ended:\npbs-ctl recover --host ${host.target.host} --lift-fence`;
  });
  for (const text of texts) if (!journal.state.warnings.includes(text)) warning(run, text);
}
