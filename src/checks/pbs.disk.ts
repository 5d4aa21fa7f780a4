import { formatSize } from '../config/quantity.js';
import type { Symptoms } from '../guest/symptoms.js';
import { ALWAYS } from '../rules/rounds.js';
import { symptomsFor } from '../rules/symptoms.js';
import { block, check, pass, warn } from './check.js';

interface Seen {
  readonly available: number;
  /** Null where there is no guest to ask, or it does not answer, which guest.agent reports. */
  readonly symptoms: Symptoms | null;
  /** Datastore → its folder, as far as it can be had: pbs.datastores blocks where it cannot. */
  readonly stores: ReadonlyMap<string, string>;
}

/** Has the root file system enough space for an upgrade, and are the disks well, as the kernel sees them? */
export const pbsDisk = check({
  id: 'pbs.disk',
  rules: { rounds: [...ALWAYS, 'unfence'] },
  async look({ pbs, target, survey }): Promise<Seen> {
    const [{ root }, symptoms, configs] = await Promise.all([
      pbs.nodeStatus(),
      target.guest ? survey().catch(() => null) : null,
      pbs.datastoreConfigs().catch(() => null),
    ]);
    const stores = new Map(configs?.datastores.map(({ name, path }) => [name, path]));
    return { available: root.available, symptoms, stores };
  },
  judge({ available, symptoms, stores }, { round, target: { policy } }) {
    const line = `${formatSize(available)} free on the root file system`;
    const isUpgraded = round === 'reboot' || round === 'unfence';
    const short = !isUpgraded && available < policy.minRootFree;
    const found = symptoms ? symptomsFor('pbs.disk', symptoms, stores) : [];
    const counts = found.filter(({ holdsFence, blocks }) => (round === 'unfence' ? holdsFence : blocks));
    const problems = [
      ...counts.map(({ summary }) => summary),
      ...(short ? [`${line}, ${formatSize(policy.minRootFree)} needed`] : []),
    ];
    if (problems.length > 0) return block(problems.join('; '));
    const remarks = found.map(({ summary }) => summary);
    if (symptoms?.diskErrors === null) remarks.push('the log of the kernel cannot be read');
    return remarks.length > 0 ? warn([line, ...remarks].join('; ')) : pass(line);
  },
});
