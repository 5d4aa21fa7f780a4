import { runOfFence } from '../../../src/fence/mark.js';
import type { Process } from './controller.js';
import { HOUR, type Servers } from './servers.js';

export interface Event {
  readonly name: string;
  act(process: Process): void;
}
const event = (name: string, act: (process: Process) => void): Event => ({ name, act });
const onServers = (name: string, act: (servers: Servers) => void) =>
  event(name, ({ servers }) => act(servers));

const FOREIGN = 'pbs-ctl-lock+pve-patching+r00001+';

/** What others do at any moment, also in the middle of a run. */
export const AT_ANY_TIME: readonly Event[] = [
  onServers('a backup begins', (servers) => {
    // Under a fence PBS refuses it.
    if (servers.modes.get('tank') === null && servers.isUp) servers.backup = true;
  }),
  onServers('the backup ends', (servers) => {
    servers.backup = false;
  }),
  onServers('PVE patching takes the lock', (servers) => {
    if (servers.lockRuns.length > 0) return;
    servers.storeTags([...servers.tags, `${FOREIGN}${Math.floor((servers.time + HOUR) / 1000)}`]);
  }),
  onServers('PVE patching gives it back', (servers) =>
    servers.storeTags(servers.tags.filter((tag) => !tag.startsWith(FOREIGN))),
  ),
  onServers('another user erases all tags', (servers) => servers.storeTags([])),
  onServers('another user adds a tag', (servers) =>
    servers.storeTags([...new Set([...servers.tags, 'edited'])]),
  ),
  ...(['read-only', 'offline'] as const).map((type) =>
    onServers(`another user sets vault ${type}`, (servers) => {
      if (servers.modes.get('vault') === null) servers.modes.set('vault', { type, message: 'disk swap' });
    }),
  ),
  onServers('a datastore breaks', (servers) => {
    servers.sick = true;
  }),
  onServers('it is mended', (servers) => {
    servers.sick = false;
  }),
  onServers('an operator resets the host', (servers) => servers.goDown(0)),
  ...[-600, -60, 60, 600].flatMap((seconds) => [
    onServers(`the clock of PBS is set by ${seconds} s`, (servers) => {
      servers.skew += seconds * 1000;
    }),
    event(`the clock of the controller is set by ${seconds} s`, ({ clock }) => clock.step(seconds * 1000)),
  ]),
  onServers('nothing gets through to PBS for 20 s', (servers) => {
    servers.cutUntil = servers.time + 20_000;
  }),
  onServers('the host turns a deaf ear to reboots', (servers) => {
    servers.deaf = true;
  }),
  onServers('the host will hang in its next boot', (servers) => {
    servers.stuck = true;
  }),
  onServers('an operator helps the host up', (servers) => {
    servers.deaf = false;
    servers.letUp();
  }),
];
export const SIGTERM = event('SIGTERM', (process) => process.signal());

/** What only makes sense while no run is on its way. */
export const BETWEEN_RUNS: readonly Event[] = [
  onServers('another user lifts whatever fence of pbs-ctl there is', (servers) => liftFences(servers)),
  onServers('another user lifts the mode of vault', (servers) => {
    const mode = servers.modes.get('vault') ?? null;
    if (runOfFence(mode) === null) servers.modes.set('vault', null);
  }),
];

function liftFences(servers: Servers): void {
  servers.liftedByHand = true;
  for (const [name, mode] of servers.modes) if (runOfFence(mode) !== null) servers.modes.set(name, null);
}

/** Everything that stands in the way of a run is taken out of it, as an operator would. */
export function mend({ servers, clock }: Pick<Process, 'servers' | 'clock'>, keepsLock: string | null): void {
  servers.backup = false;
  servers.sick = false;
  servers.deaf = false;
  servers.skew = 0;
  servers.cutUntil = 0;
  clock.step(servers.time - clock.now());
  servers.letUp();
  for (const [name, mode] of servers.modes) {
    if (keepsLock === null || runOfFence(mode) !== keepsLock) servers.modes.set(name, null);
  }
  servers.storeTags(servers.lockRuns.every((run) => run === keepsLock) ? servers.tags : []);
}
