import type { Config } from '../config/schema.js';
import { type ErrorDocument, EXIT, type ExitCode, errorDocument, Fault, worstExitCode } from '../fault.js';
import { deadlineFor, openCluster } from '../host/open.js';
import { lockedSince } from '../journal/runs.js';
import { look } from '../lock/lock.js';
import { isoFromSeconds, localMoment } from '../moment.js';
import { hintLines, oneLine, painter, type Style, wrap } from '../report/layout.js';
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
    const current = await look(cluster.lock);
    const held = current.kind === 'held' ? current : null;
    return {
      cluster: name,
      held: current.kind !== 'free',
      owner: held?.lock.owner ?? null,
      run: held?.lock.run ?? null,
      /** Null where no journal here has it. */
      since: held ? lockedSince(stateDir, held.lock.run, name) : null,
      expiresAt: held ? isoFromSeconds(held.lock.expiresAt) : null,
      expired: held?.expired ?? false,
      store: cluster.config.lock.store,
    };
  } finally {
    await cluster.pve.close();
  }
}

/** In a line or two, with the command for a lock that does not go away by itself. */
export function lockText(
  { cluster, held, owner, run, since, expiresAt, expired }: Omit<Awaited<ReturnType<typeof show>>, 'store'>,
  { color }: Pick<Style, 'color'>,
): string {
  const paint = painter(color);
  const say = (first: string, ...lines: string[]) =>
    [`Lock of cluster ${cluster}: ${first}`, ...lines.map((line) => `  ${line}`), ''].join('\n');
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
