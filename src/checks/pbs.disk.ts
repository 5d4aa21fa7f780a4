import { formatSize } from '../config/quantity.js';
import { NO_CHANGES } from '../guest/apt.js';
import type { Survey } from '../guest/survey.js';
import { ALWAYS } from '../rules/rounds.js';
import { type Room, roomFor } from '../rules/space.js';
import { symptomsFor } from '../rules/symptoms.js';
import { block, check, pass, warn } from './check.js';

interface Seen {
  readonly available: number;
  /** Null where there is no guest to ask, or it does not answer, which guest.agent reports. */
  readonly survey: Survey | null;
  /** Datastore → its folder, as far as it can be had: pbs.datastores blocks where it cannot. */
  readonly stores: ReadonlyMap<string, string>;
}

/**
 * Have the file systems that an upgrade writes to enough space, and are the disks well, as the kernel sees them? PBS
 * itself tells only of the root file system.
 */
export const pbsDisk = check({
  id: 'pbs.disk',
  rules: { rounds: [...ALWAYS, 'unfence'] },
  async look({ pbs, target, survey }): Promise<Seen> {
    const [{ root }, seen, configs] = await Promise.all([
      pbs.nodeStatus(),
      target.guest ? survey().catch(() => null) : null,
      pbs.datastoreConfigs().catch(() => null),
    ]);
    const stores = new Map(configs?.datastores.map(({ name, path }) => [name, path]));
    return { available: root.available, survey: seen, stores };
  },
  judge({ available, survey, stores }, { round, target: { policy } }) {
    const isUpgraded = round === 'reboot' || round === 'unfence';
    const rooms = isUpgraded ? [] : roomsOf(available, survey, policy.minRootFree);
    const found = survey ? symptomsFor('pbs.disk', survey, stores) : [];
    const counts = found.filter(({ holdsFence, blocks }) => (round === 'unfence' ? holdsFence : blocks));
    const problems = [
      ...counts.map(({ summary }) => summary),
      ...rooms.filter((room) => room.available < room.needed).map(withNeed),
    ];
    const detail = survey && !isUpgraded ? { rooms, download: survey.room.download } : {};
    if (problems.length > 0) return block(problems.join('; '), detail);
    const others = rooms.filter(({ target }) => target !== '/');
    const line = [`${formatSize(available)} free on the root file system`, ...others.map(withNeed)].join(
      '; ',
    );
    const remarks = found.map(({ summary }) => summary);
    if (survey?.diskErrors === null) remarks.push('the log of the kernel cannot be read');
    const esps = isUpgraded ? [] : (survey?.room.unmountedEsps ?? []);
    if (esps.length > 0) remarks.push(`not mounted, so its space is not known: ${esps.join(', ')}`);
    return remarks.length > 0 ? warn([line, ...remarks].join('; '), detail) : pass(line, detail);
  },
});

function roomsOf(available: number, survey: Survey | null, minRootFree: number): Room[] {
  const rooms = survey ? roomFor(survey.plan ?? NO_CHANGES, survey.room, minRootFree) : [];
  const needed = Math.max(minRootFree, rooms.find(({ target }) => target === '/')?.needed ?? 0);
  return [{ target: '/', available, needed }, ...rooms.filter(({ target }) => target !== '/')];
}

const withNeed = ({ target, available, needed }: Room) =>
  `${formatSize(available)} free on ${target === '/' ? 'the root file system' : target}, ${formatSize(needed)} needed`;
