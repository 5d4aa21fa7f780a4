import { EXIT, errorDocument, Fault } from '../fault.js';
import { type Lease, notReleased, takeLease } from '../lock/lease.js';
import type { Claim } from '../lock/lock.js';
import { exitCodeOf, type Interrupted, type Program } from '../world.js';
import type { Command } from './context.js';
import { claimOf, type TakeOptions, waitingFor, withLock } from './lock.js';

interface HoldOptions extends TakeOptions {
  readonly command: readonly string[];
}

/** Runs a program under the lock: renewed while it runs, released when it ends; the exit code is the program's. */
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
            say(`the lock of cluster "${cluster}" could not be renewed: ${errorDocument(error).message}`),
        }),
      giveBack: (taken) => release(taken, claim, say),
    });
    let program: Program | null = null;
    const unheed = world.heedSignals();
    const over = new AbortController();
    for (const signal of [world.stop, world.now]) {
      const passOn = () => program?.kill((signal.reason as Interrupted).signal);
      signal.addEventListener('abort', passOn, { signal: over.signal });
    }
    try {
      program = world.run(file, args, { PBS_CTL_LOCK_RUN: claim.run });
      return exitCodeOf(await program.ended);
    } catch (cause) {
      throw new Fault('hold.not-started', `"${file}" could not be started`, {
        hint: 'The lock is released. Is the program installed and in the PATH?',
        exitCode: EXIT.usage,
        cause,
      });
    } finally {
      // A signal that comes while it is being released must not leave it behind.
      await release(lease, claim, say);
      over.abort();
      unheed();
    }
  });

async function release(lease: Lease, claim: Claim, say: (text: string) => void): Promise<void> {
  for (const { cluster, error } of await lease.release()) {
    say(notReleased(cluster, claim, error));
  }
}
