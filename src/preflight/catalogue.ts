import type { Check } from './check.js';
import { clockSkew } from './checks/clock.skew.js';
import { guestAgent } from './checks/guest.agent.js';
import { guestPackages } from './checks/guest.packages.js';
import { guestVm } from './checks/guest.vm.js';
import { lockAvailable } from './checks/lock.available.js';
import { pbsAccess } from './checks/pbs.access.js';
import { pbsApi } from './checks/pbs.api.js';
import { pbsApt } from './checks/pbs.apt.js';
import { pbsDatastores } from './checks/pbs.datastores.js';
import { pbsDisk } from './checks/pbs.disk.js';
import { pbsJobs } from './checks/pbs.jobs.js';
import { pbsTasks } from './checks/pbs.tasks.js';
import { policyWindow } from './checks/policy.window.js';
import { pveAccess } from './checks/pve.access.js';
import { pveApi } from './checks/pve.api.js';
import { pveBackups } from './checks/pve.backups.js';
import { pvePatching } from './checks/pve.patching.js';
import { pveQuorum } from './checks/pve.quorum.js';
import { pveSchedule } from './checks/pve.schedule.js';

/** Every check, in reading order. */
export const CHECKS: readonly Check[] = [
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
  lockAvailable,
  clockSkew,
  policyWindow,
] as readonly Check[];
