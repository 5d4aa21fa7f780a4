import type { PbsSync } from '../api/pbs.js';
import type { Answers } from '../host/answers.js';
import { namesFor, whoseStorage } from './whose-storage.js';

/** A sync job of another host of the config that pulls from this one, or pushes to it. */
export interface SyncHere extends PbsSync {
  readonly host: string;
}

interface SyncsHere {
  readonly jobs: readonly SyncHere[];
  /** A line for each that runs. */
  readonly running: readonly string[];
  /** What is not known. */
  readonly doubts: readonly string[];
}

/** Sync jobs of the other hosts of the config that use the datastores of this one. */
export async function syncsHere(answers: Answers): Promise<SyncsHere> {
  const { target, addressesOf } = answers;
  const found = await answers.otherHosts();
  const prints = found.flatMap((each) =>
    each.error === null ? each.remotes.flatMap(({ fingerprint }) => fingerprint ?? []) : [],
  );
  const parts = await Promise.all(
    found.map(async (each): Promise<SyncsHere> => {
      const { host } = each;
      if (each.error !== null) {
        const doubts = [`whether ${host} syncs with ${target.host} cannot be seen: ${each.error}`];
        return { jobs: [], running: [], doubts };
      }
      const used = each.remotes.filter(({ name }) => each.syncs.some(({ remote }) => remote === name));
      const { known, others } = await namesFor(answers, prints);
      const whose = new Map(
        await Promise.all(
          used.map(async (remote) => {
            const place = { type: 'pbs', server: remote.host, port: remote.port ?? 8007 };
            const judged = whoseStorage(
              { ...place, fingerprint: remote.fingerprint },
              await addressesOf(remote.host),
              known,
              others,
            );
            return [remote.name, judged] as const;
          }),
        ),
      );
      const unlisted = [...new Set(each.syncs.flatMap(({ remote }) => remote ?? []))].filter(
        (name) => !whose.has(name),
      );
      const isHere = (remote: string | null) => remote !== null && whose.get(remote)?.is === 'here';
      const jobs = each.syncs
        .filter(({ remote }) => isHere(remote))
        .map((sync): SyncHere => ({ ...sync, host }));
      const tasks = each.tasks.filter(({ type, id }) => /^sync/.test(type) && isHere(remoteIn(id)));
      return {
        jobs,
        running: [
          ...jobs.filter(({ running }) => running).map(({ id }) => `sync job ${id} of ${host} is running`),
          ...tasks
            .filter(({ id }) => !jobs.some((job) => job.running && id?.endsWith(`:${job.id}`)))
            .map(({ id }) => `sync ${id} of ${host} is running`),
        ],
        doubts: [
          ...[...whose].flatMap(([name, { is, why }]) =>
            is === 'unknown'
              ? [`whether remote ${name} of ${host} is ${target.host} is not known: ${why}`]
              : [],
          ),
          ...unlisted.map((name) => `the token of ${host} cannot see its remote ${name}`),
        ],
      };
    }),
  );
  return {
    jobs: parts.flatMap(({ jobs }) => jobs),
    running: parts.flatMap(({ running }) => running),
    doubts: parts.flatMap(({ doubts }) => doubts),
  };
}

/** The id of such a task begins with the name of the remote. */
const remoteIn = (id: string | null) => id?.split(':')[0] ?? null;
