import { formatDuration } from '../config/quantity.js';
import type { Config } from '../config/schema.js';
import { secretVariables } from '../config/secret.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import { openCluster } from '../host/open.js';
import { type Lease, notReleased, retryRelease, takeLease } from '../lock/lease.js';
import { acquire, type Claim } from '../lock/lock.js';
import { breakLock, release } from '../lock/release.js';
import type { ClusterLock } from '../lock/store.js';
import { nameOfPlace } from '../lock/tag.js';
import { isoFromSeconds } from '../moment.js';
import { poll } from '../poll.js';
import { oneLine } from '../printable.js';
import { exitCodeOf, type Interrupted, type Program } from '../world.js';
import { type Command, type Context, load } from './context.js';

export interface ClusterOption {
  readonly cluster: string | undefined;
}

interface TakeOptions extends ClusterOption {
  readonly owner: string;
  /** Milliseconds, as is `wait`. */
  readonly ttl: number | undefined;
  readonly wait: number | undefined;
}

export const lockAcquire: Command<TakeOptions> = (context, options) =>
  withLock(context, options, async (lock, config) => {
    const claim = claimOf(context, config, lock, options);
    const { expiresAt } = await waitingFor(context, config, options, {
      take: () => acquire(lock, claim),
      undo: () => release(lock, claim),
    });
    const { owner, run } = claim;
    context.answer({ cluster: lock.cluster, owner, run, expiresAt: isoFromSeconds(expiresAt) }, run);
    return EXIT.done;
  });

/** By the options, with a new run id. */
function claimOf(
  { world }: Context,
  config: Config,
  { cluster }: ClusterLock,
  { owner, ttl = config.clusters[cluster]?.lock.ttl ?? 0 }: TakeOptions,
): Claim {
  return {
    owner,
    run: world.randomWord(6),
    ttlMs: ttl,
    onExpired: config.policy.onExpiredLock,
    sole: true,
  };
}

/**
 * Tries until `--wait` is over while another user holds the lock. A signal waits for the try under way, so that
 * no unknown lock is left behind; a second signal does not.
 * @throws the Fault of the last try, Fault `interrupted`
 */
async function waitingFor<Value>(
  { world: { clock, stop, now, heedSignals } }: Context,
  config: Config,
  { wait = 0 }: TakeOptions,
  { take, undo }: { take: () => Promise<Value>; undo: (taken: Value) => Promise<unknown> },
): Promise<Value> {
  let refusal: unknown;
  const attempt = async () => {
    try {
      const taken = await take();
      if (!stop.aborted) return { taken };
      await undo(taken);
    } catch (error) {
      if (!stop.aborted && !(error instanceof Fault && error.exitCode === EXIT.tryLater)) throw error;
      refusal = error;
    }
    stop.throwIfAborted();
    return null;
  };
  const unheed = heedSignals();
  const over = new AbortController();
  const left = new Promise<never>((_, reject) => {
    now.addEventListener('abort', () => reject(now.reason), { signal: over.signal });
  });
  try {
    const polling = { everyMs: config.policy.pollInterval, limitMs: wait, signal: stop };
    const found = await Promise.race([poll(clock, polling, attempt), left]);
    if (found) return found.taken;
    throw refusal;
  } finally {
    over.abort();
    unheed();
  }
}

export const lockRelease: Command<
  ClusterOption & { readonly owner: string; readonly run: string | undefined }
> = (context, options) =>
  withLock(context, options, async (lock) => {
    const { owner, run } = options;
    const released = await retryRelease(() => release(lock, { owner, run }), lock.clock);
    context.answer({ cluster: lock.cluster, released }, released ? 'released' : 'it was not held');
    return EXIT.done;
  });

export const lockBreak: Command<ClusterOption & { readonly yes: true | undefined }> = (context, options) =>
  withLock(context, options, async (lock) => {
    if (!options.yes) {
      throw new Fault(
        'usage.yes',
        `Breaking the lock of cluster "${lock.cluster}" can let two maintenance runs overlap.`,
        {
          hint: 'Make sure that its holder has ended, then repeat the command with --yes.',
          exitCode: EXIT.usage,
        },
      );
    }
    const { removed, kept } = await breakLock(lock);
    const left = kept.map(({ place, tag, error }) => ({ tag, guest: place, error: errorDocument(error) }));
    const lines = [
      removed.length > 0 || left.length > 0 ? '' : 'there was no lock',
      removed.length > 0 ? `removed: ${removed.map(({ tag }) => tag).join(', ')}` : '',
      ...left.map(
        ({ tag, guest, error: { message, hint } }) =>
          `${tag} on ${nameOfPlace(guest)} stays: ${message}${hint === null ? '' : ` ${hint}`}`,
      ),
    ]
      .map(oneLine)
      .filter((line) => line !== '');
    context.answer({ cluster: lock.cluster, removed: removed.map(({ tag }) => tag), left }, lines.join('\n'));
    return left.length === 0 ? EXIT.done : EXIT.failed;
  });

/** Connects to the cluster that the options name. @throws Fault `usage.cluster` */
async function withLock(
  context: Context,
  options: ClusterOption,
  act: (lock: ClusterLock, config: Config) => Promise<number>,
): Promise<number> {
  const { config } = await load(context);
  const cluster = await openCluster(config, clusterName(config, options.cluster), context.world);
  try {
    return await act(cluster.lock, config);
  } finally {
    await cluster.pve.close();
  }
}

export function clusterName(config: Config, named: string | undefined): string {
  const names = Object.keys(config.clusters);
  const [only] = names;
  if (named === undefined && names.length === 1 && only !== undefined) return only;
  if (named !== undefined && names.includes(named)) return named;
  throw new Fault(
    'usage.cluster',
    named === undefined ? 'No cluster was named.' : `The config has no cluster "${named}".`,
    {
      hint: `Name one with --cluster: ${names.join(', ')}.`,
      exitCode: EXIT.usage,
    },
  );
}

interface HoldOptions extends TakeOptions {
  readonly command: readonly string[];
}

/**
 * Runs a program under the lock: renewed while it runs, released when it ends; the exit code is the program's.
 * A signal is passed on. After the second one it leaves at once, and the lock stays: the program may still run.
 */
export const lockHold: Command<HoldOptions> = (context, options) =>
  withLock(context, options, async (lock, config) => {
    const { world } = context;
    const [file = '', ...args] = options.command;
    const claim = claimOf(context, config, lock, options);
    const say = (text: string) => void world.stderr.write(`pbs-ctl: ${text}\n`);
    const lease = await waitingFor(context, config, options, {
      take: () =>
        takeLease([{ lock, claim }], {
          clock: world.clock,
          onAcquired: () => {},
          onRenewalFailed: (cluster, error) =>
            say(
              `the lock of cluster "${cluster}" could not be renewed: ${oneLine(errorDocument(error).message)}`,
            ),
        }),
      undo: (taken) => releaseLease(taken, claim, say),
    });
    let program: Program | null = null;
    const unheed = world.heedSignals();
    const over = new AbortController();
    for (const signal of [world.stop, world.now]) {
      const passOn = () => program?.kill((signal.reason as Interrupted).signal);
      signal.addEventListener('abort', passOn, { signal: over.signal });
    }
    const left = new Promise<null>((resolve) => {
      world.now.addEventListener('abort', () => resolve(null), { signal: over.signal });
    });
    let hasLeft = false;
    try {
      const withoutSecrets = Object.fromEntries(secretVariables(config).map((name) => [name, undefined]));
      program = world.run(file, args, { ...withoutSecrets, PBS_CTL_LOCK_RUN: claim.run });
      const end = await Promise.race([program.ended, left]);
      hasLeft = end === null;
      if (end) return exitCodeOf(end);
      lease.leave();
      say(staysHeld(lock, claim, config));
      return EXIT.interrupted;
    } catch (cause) {
      throw new Fault('hold.not-started', `"${file}" could not be started`, {
        hint: 'The lock is released. Check that the program is installed and in the PATH.',
        exitCode: EXIT.usage,
        cause,
      });
    } finally {
      // A signal that comes while it is being released must not leave it behind.
      if (!hasLeft) await Promise.race([releaseLease(lease, claim, say), left]);
      over.abort();
      unheed();
    }
  });

const staysHeld = ({ cluster }: ClusterLock, { owner, run }: Claim, { clusters }: Config) =>
  `left at once: the lock of cluster "${cluster}" stays for up to ${formatDuration(clusters[cluster]?.lock.ttl ?? 0)}, since the program may still run. Once it has ended:\npbs-ctl lock release --cluster ${cluster} --owner ${owner} --run ${run}`;

async function releaseLease(lease: Lease, claim: Claim, say: (text: string) => void): Promise<void> {
  for (const { cluster, error } of await lease.release()) say(notReleased(cluster, claim, error));
}
