import type { Config } from '../config/schema.js';
import { carrierByOrder } from '../config/target.js';
import { type ErrorDocument, EXIT, type ExitCode, errorDocument, Fault, worstExitCode } from '../fault.js';
import { deadlineFor, openCluster } from '../host/open.js';
import { lockedSince } from '../journal/runs.js';
import { describeElsewhere, look } from '../lock/look.js';
import { nameOfPlace } from '../lock/tag.js';
import { isoFromSeconds, localMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { hintLines, painter, type Style, wrap } from '../report/layout.js';
import type { World } from '../world.js';
import { type Command, load } from './context.js';
import { type ClusterOption, clusterName } from './lock.js';

/** Who holds the lock of a cluster; of each cluster, where none is named and there are several. */
export const lockShow: Command<ClusterOption> = async (context, { cluster }) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const names = Object.keys(config.clusters);
  if (cluster !== undefined || names.length < 2) {
    const shown = await show(config, clusterName(config, cluster), stateDir, world);
    context.answer(shown, lockText(shown, style));
    return EXIT.done;
  }
  const codes: ExitCode[] = [EXIT.done];
  const clusters = await Promise.all(
    names.map((name) =>
      // A cluster that is away must not hide who holds the lock of another.
      show(config, name, stateDir, world).catch((error: unknown) => {
        codes.push(error instanceof Fault ? error.exitCode : EXIT.failed);
        return { cluster: name, error: errorDocument(error) };
      }),
    ),
  );
  const texts = clusters.map((each) =>
    'error' in each ? unknownLockText(each.cluster, each.error, style) : lockText(each, style),
  );
  context.answer({ clusters }, texts.join(''));
  return worstExitCode(...(codes as [ExitCode]));
};

/** `lock show --json`. `owner` is null where the lock is free, or its tag cannot be read. */
async function show(config: Config, name: string, stateDir: string, world: World) {
  const cluster = await openCluster(config, name, world, { deadline: deadlineFor(config, world) });
  try {
    const { counts, others } = await look(cluster.lock);
    const lock = !counts || counts.lock === 'unreadable' ? null : counts.lock;
    const carrier = cluster.lock.store.place;
    return {
      cluster: name,
      held: counts !== null,
      owner: lock?.owner ?? null,
      run: lock?.run ?? null,
      /** Null where no journal here has it. */
      since: lock ? lockedSince(stateDir, lock.run, name) : null,
      expiresAt: lock ? isoFromSeconds(lock.expiresAt) : null,
      expired: counts?.expired ?? false,
      store: cluster.config.lock.store,
      /** The guest whose tag it is, where that is not the carrier; null for the carrier and for registered tags. */
      guest: counts && counts.place !== carrier ? counts.place : null,
      remarks: [
        ...(counts && counts.place !== carrier
          ? [`its tag is on ${nameOfPlace(counts.place)}, which is not the lock carrier of this config`]
          : []),
        ...others.map((each) => describeElsewhere(each, counts)),
        ...(carrierByOrder(name, cluster.config.lock, Object.values(config.hosts))
          ? [
              `the config does not say which guest carries it: set clusters.${name}.lock.vmid to ${carrier}, in every config of this cluster`,
            ]
          : []),
      ],
    };
  } finally {
    await cluster.pve.close();
  }
}

/** In a line or two, with the command for a lock that does not go away by itself. */
export function lockText(
  {
    cluster,
    held,
    owner,
    run,
    since,
    expiresAt,
    expired,
    remarks,
  }: Omit<Awaited<ReturnType<typeof show>>, 'store' | 'guest'>,
  { color, columns }: Style,
): string {
  const paint = painter(color);
  const say = (first: string, ...lines: string[]) =>
    [
      `Lock of cluster ${cluster}: ${first}`,
      ...[...lines, ...remarks.flatMap((each) => wrap(oneLine(each), columns - 2))].map(
        (line) => `  ${line}`,
      ),
      '',
    ].join('\n');
  const breakIt = ['If its holder has ended:', `  pbs-ctl lock break --cluster ${cluster} --yes`];
  if (!held) return say(paint('good', 'free'));
  if (owner === null) return say(paint('bad', 'its tag cannot be read'), ...breakIt);
  const holder = `${oneLine(owner)} (run ${oneLine(run ?? 'unknown')})`;
  const from = `since ${since ? localMoment(since) : 'unknown'}`;
  const until = expiresAt ? localMoment(expiresAt) : 'an unknown time';
  return expired
    ? say(`${paint('careful', 'expired')}, left by ${holder}`, from, `expired ${until}`, ...breakIt)
    : say(`${paint('careful', 'held')} by ${holder}`, from, `until ${until}`);
}

/** A lock that could not be read, among others that could. */
export function unknownLockText(cluster: string, error: ErrorDocument, { color, columns }: Style): string {
  const width = columns - 2;
  const lines = [...wrap(error.message, width), ...(error.hint ? hintLines(error.hint, width) : [])];
  const head = `Lock of cluster ${cluster}: ${painter(color)('bad', 'not known')}`;
  return `${[head, ...lines.map((line) => `  ${line}`)].join('\n')}\n`;
}
