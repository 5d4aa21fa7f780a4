import type { z } from 'zod';
import * as agent from '../../src/api/agent.js';
import * as backup from '../../src/api/backup-answers.js';
import * as guest from '../../src/api/guest-answers.js';
import * as pbs from '../../src/api/pbs-answers.js';
import * as apt from '../../src/api/pbs-apt-answers.js';
import * as pve from '../../src/api/pve-answers.js';
import * as shared from '../../src/api/shared-answers.js';
import * as task from '../../src/api/tasks.js';

/** Which schema of the clients reads the `data` of which endpoint. */
export const DECODERS: Readonly<Record<'pbs' | 'pve', Readonly<Record<string, z.ZodType>>>> = {
  pbs: {
    'GET /access/permissions': shared.Permissions,
    'GET /version': pbs.Version,
    'GET /nodes/{node}/status': pbs.NodeStatus,
    'GET /nodes/{node}/time': shared.Time,
    'GET /admin/datastore': pbs.Datastores,
    'GET /status/datastore-usage': pbs.DatastoreUsages,
    'GET /admin/datastore/{store}/active-operations': pbs.ActiveOperations,
    'GET /nodes/{node}/tasks': pbs.Tasks,
    'GET /nodes/{node}/tasks/{upid}/status': task.TaskStatus,
    'GET /nodes/{node}/tasks/{upid}/log': task.LogLines,
    'GET /admin/gc': pbs.GarbageCollections,
    'GET /admin/prune': pbs.Jobs,
    'GET /admin/verify': pbs.Jobs,
    'GET /admin/sync': pbs.Jobs,
    'GET /tape/backup': pbs.Jobs,
    'GET /nodes/{node}/apt/update': apt.Packages,
    'GET /nodes/{node}/apt/versions': apt.Packages,
    'GET /nodes/{node}/apt/repositories': apt.Repositories,
    'GET /nodes/{node}/services': pbs.Services,
    'GET /nodes/{node}/syslog': task.LogLines,
    'GET /nodes/{node}/journal': shared.Nothing,
    'POST /nodes/{node}/apt/update': task.Upid,
    'POST /nodes/{node}/services/{service}/start': task.Upid,
    'PUT /config/datastore/{name}': shared.Nothing,
    'POST /nodes/{node}/status': shared.Nothing,
  },
  pve: {
    'GET /access/permissions': shared.Permissions,
    'GET /version': pve.Version,
    'GET /cluster/status': pve.ClusterStatus,
    'GET /cluster/resources': guest.Guests,
    'GET /cluster/options': pve.Options,
    'GET /cluster/tasks': pve.Tasks,
    'GET /cluster/ha/status/manager_status': pve.HaManagerStatus,
    'GET /cluster/ha/status/current': pve.HaStatus,
    'GET /cluster/backup': backup.BackupJobs,
    'GET /cluster/backup/{id}/included_volumes': backup.IncludedVolumes,
    'GET /nodes/{node}/vzdump/defaults': backup.VzdumpDefaults,
    'GET /nodes/{node}/tasks': pve.Tasks,
    'GET /nodes/{node}/tasks/{upid}/status': task.TaskStatus,
    'PUT /cluster/options': shared.Nothing,
    'PUT /nodes/{node}/qemu/{vmid}/config': shared.Nothing,
    'POST /nodes/{node}/qemu/{vmid}/agent/ping': agent.agentResult(shared.Nothing),
    'GET /nodes/{node}/qemu/{vmid}/agent/info': agent.agentResult(agent.AgentInfo),
    'POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-status': agent.agentResult(agent.FreezeState),
    'GET /cluster/jobs/schedule-analyze': backup.ScheduleRuns,
    'GET /storage': backup.Storages,
    'GET /nodes/{node}/status': pve.NodeStatus,
    'GET /nodes/{node}/time': shared.Time,
    'GET /nodes/{node}/apt/versions': pve.NodePackages,
    'GET /nodes/{node}/tasks/{upid}/log': task.LogLines,
    'GET /nodes/{node}/qemu/{vmid}/config': guest.GuestConfig,
    'GET /nodes/{node}/qemu/{vmid}/status/current': guest.GuestStatus,
    'POST /nodes/{node}/qemu/{vmid}/agent/exec': agent.Pid,
    'GET /nodes/{node}/qemu/{vmid}/agent/exec-status': agent.ExecStatus,
    'GET /nodes/{node}/qemu/{vmid}/agent/file-read': agent.FileContent,
  },
};
