import type { Config } from '../config/schema.js';
import { type ErrorDocument, EXIT, type ExitCode, errorDocument, Fault, worstExitCode } from '../fault.js';
import { openCluster } from '../host/open.js';
import { lockedSince } from '../journal/runs.js';
import { look } from '../lock/lock.js';
import { isoFromSeconds } from '../moment.js';
import { type LockDocument, lockText, unknownLockText } from '../report/host-text.js';
import type { World } from '../world.js';
import { type Command, load } from './context.js';
import { type ClusterOption, clusterName } from './lock.js';

type Shown = LockDocument & { readonly store: string };
type Unknown = { readonly cluster: string; readonly error: ErrorDocument };

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
      show(config, name, stateDir, world).catch((error: unknown): Unknown => {
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

async function show(config: Config, name: string, stateDir: string, world: World): Promise<Shown> {
  const cluster = await openCluster(config, name, world);
  try {
    const current = await look(cluster.lock);
    const held = current.kind === 'held' ? current : null;
    return {
      cluster: name,
      held: current.kind !== 'free',
      owner: held?.lock.owner ?? null,
      run: held?.lock.run ?? null,
      since: held ? lockedSince(stateDir, held.lock.run, name) : null,
      expiresAt: held ? isoFromSeconds(held.lock.expiresAt) : null,
      expired: held?.expired ?? false,
      store: cluster.config.lock.store,
    };
  } finally {
    await cluster.pve.close();
  }
}
