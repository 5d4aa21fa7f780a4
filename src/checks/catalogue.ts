import type { Round } from '../rules/rounds.js';
import type { Check } from './check.js';
import { clockSkew } from './clock.skew.js';
import { guestAgent } from './guest.agent.js';
import { guestPackages } from './guest.packages.js';
import { guestVm } from './guest.vm.js';
import { hostIdentity } from './host.identity.js';
import { lockAvailable } from './lock.available.js';
import { pbsAccess } from './pbs.access.js';
import { pbsApi } from './pbs.api.js';
import { pbsApt } from './pbs.apt.js';
import { pbsDatastores } from './pbs.datastores.js';
import { pbsDisk } from './pbs.disk.js';
import { pbsJobs } from './pbs.jobs.js';
import { pbsTasks } from './pbs.tasks.js';
import { policyWindow } from './policy.window.js';
import { pveAccess } from './pve.access.js';
import { pveApi } from './pve.api.js';
import { pveBackups } from './pve.backups.js';
import { pvePatching } from './pve.patching.js';
import { pveQuorum } from './pve.quorum.js';
import { pveSchedule } from './pve.schedule.js';

/** Every check, in reading order. */
export const CHECKS = [
  pbsApi,
  pbsAccess,
  pbsDatastores,
  pbsTasks,
  pbsJobs,
  pbsApt,
  pbsDisk,
  pveApi,
  pveAccess,
  pveQuorum,
  pveBackups,
  pveSchedule,
  pvePatching,
  guestVm,
  guestAgent,
  guestPackages,
  hostIdentity,
  lockAvailable,
  clockSkew,
  policyWindow,
] as const satisfies readonly Check[];

export type CheckId = (typeof CHECKS)[number]['id'];

/** Those of a round. */
export const checksOf = (round: Round): readonly Check[] =>
  CHECKS.filter(({ rules }: Check) => rules.rounds.includes(round));
