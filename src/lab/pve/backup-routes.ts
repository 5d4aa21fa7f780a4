import { nextRuns } from '../calendar.js';
import { flag, oneOf, optional, text, whole } from '../parameters.js';
import type { PveCluster } from './cluster.js';
import { PveError, type PveRoute } from './server.js';

const audit = () => ['/', ['Sys.Audit']] as const;

/** Backup jobs, their schedules, and the storages that they write to. */
export function backupRoutes(cluster: PveCluster): PveRoute[] {
  const { access, guests, time } = cluster;
  const sees = (vmid: number) => access.has(`/vms/${vmid}`, 'VM.Audit');
  return [
    {
      method: 'GET',
      path: '/cluster/backup',
      needs: audit,
      handle: () => cluster.jobs.map((job) => jobAnswer(job, time.now())),
    },
    {
      method: 'GET',
      path: '/cluster/backup/{id}/included_volumes',
      needs: audit,
      handle: ({ params }) => {
        const job = cluster.jobs.find(({ id }) => id === params.id);
        if (!job)
          throw new PveError('Parameter verification failed.', 400, { id: `No such job '${params.id}'` });
        const wanted = job.all ? [...guests.keys()] : (job.vmid ?? '').split(',').filter(Boolean).map(Number);
        return {
          children: wanted.filter(sees).map((vmid) => ({
            id: vmid,
            type: guests.get(vmid)?.type ?? 'unknown',
            name: guests.get(vmid)?.name ?? '',
            leaf: 0,
            children: [
              {
                id: `${vmid}:scsi0`,
                name: `local-zfs:vm-${vmid}-disk-0`,
                included: 1,
                reason: 'enabled',
                leaf: 1,
              },
            ],
          })),
        };
      },
    },
    {
      method: 'GET',
      path: '/cluster/jobs/schedule-analyze',
      params: {
        schedule: text,
        starttime: optional(whole),
        iterations: optional({ ...whole, min: 1, max: 100 }),
      },
      needs: null,
      handle: ({ params }) => {
        try {
          const from = params.starttime === undefined ? time.now() : Number(params.starttime);
          const runs = nextRuns(String(params.schedule), from, Number(params.iterations ?? 10));
          return runs.map((timestamp) => ({ timestamp, utc: asctime(timestamp) }));
        } catch (error) {
          throw new PveError('Parameter verification failed.', 400, { schedule: (error as Error).message });
        }
      },
    },
    {
      method: 'GET',
      path: '/storage',
      params: { type: optional(oneOf('btrfs', 'dir', 'lvm', 'lvmthin', 'nfs', 'pbs', 'zfspool')) },
      needs: null,
      handle: ({ params }) =>
        cluster.storages
          .filter(
            ({ storage, type }) =>
              access.has(`/storage/${storage}`, 'Datastore.Audit') && (params.type ?? type) === type,
          )
          .map(({ badPassword: _, ...storage }) => ({
            ...storage,
            content: 'backup',
            shared: 1,
            digest: 'd'.repeat(40),
          })),
    },
    {
      method: 'GET',
      path: '/nodes/{node}/storage',
      params: {
        storage: optional(text),
        content: optional(text),
        enabled: optional(flag),
        target: optional(text),
        format: optional(flag),
      },
      needs: null,
      proxied: true,
      handle: ({ params }) => {
        const found = cluster.storages.filter(
          ({ storage, nodes }) =>
            (params.storage ?? storage) === storage &&
            (nodes?.split(',').includes(String(params.node)) ?? true) &&
            ['Datastore.Audit', 'Datastore.AllocateSpace'].some((each) =>
              access.has(`/storage/${storage}`, each),
            ),
        );
        return found.map((storage) => {
          const active = cluster.reaches(storage);
          return {
            ...{ storage: storage.storage, type: storage.type, content: 'backup' },
            ...{ enabled: 1, shared: 1, active: active ? 1 : 0 },
            ...(active ? { total: 2e12, used: 8e11, avail: 12e11, used_fraction: 0.4 } : {}),
          };
        });
      },
    },
  ];
}

/** `Thu Jan  1 01:00:00 2026` */
function asctime(epoch: number): string {
  const [, weekday, day, month, year, clock] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(epoch * 1000).toUTCString()) ?? [];
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}

function jobAnswer(job: PveCluster['jobs'][number], now: number): Record<string, unknown> {
  const [next] = nextRuns(job.schedule, now, 1);
  return {
    id: job.id,
    type: 'vzdump',
    enabled: job.enabled ? 1 : 0,
    schedule: job.schedule,
    mode: 'snapshot',
    ...(job.storage ? { storage: job.storage } : {}),
    ...(job.vmid ? { vmid: job.vmid } : {}),
    ...(job.all ? { all: 1 } : {}),
    ...(job.node ? { node: job.node } : {}),
    ...(next === undefined ? {} : { 'next-run': next }),
  };
}
