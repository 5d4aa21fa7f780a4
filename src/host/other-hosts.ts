import type { Pbs, PbsRemote, PbsSync, PbsTask } from '../api/pbs.js';
import type { Config } from '../config/schema.js';
import { type Target, targetOf } from '../config/target.js';
import { errorDocument } from '../fault.js';
import type { World } from '../world.js';

/** What another host of the config syncs with which remotes, or why that is not known. */
export type OtherHost =
  | {
      readonly host: string;
      readonly remotes: readonly PbsRemote[];
      readonly syncs: readonly PbsSync[];
      readonly tasks: readonly PbsTask[];
      readonly error: null;
    }
  | { readonly host: string; readonly error: string };

const FRESH_MS = 60_000;
/** By config: all hosts of one command share the answers. */
const known = new WeakMap<
  Config,
  Map<string, { readonly at: number; readonly answer: Promise<OtherHost> }>
>();

/** All others, side by side, within one `requestTimeout`; each at most once a minute, however many hosts ask. */
export function askOtherHosts(
  config: Config,
  { others, policy }: Pick<Target, 'others' | 'policy'>,
  { clock }: Pick<World, 'clock'>,
  open: (target: Target) => Promise<Pbs>,
): Promise<OtherHost[]> {
  const answers = known.get(config) ?? new Map();
  known.set(config, answers);
  return Promise.all(
    others.map(({ host }) => {
      const found = answers.get(host);
      const now = clock.monotonic();
      if (found && now - found.at < FRESH_MS) return found.answer;
      const answer = ask(host, clock.timeout(policy.requestTimeout), () => open(targetOf(config, host)));
      answers.set(host, { at: now, answer });
      return answer;
    }),
  );
}

async function ask(host: string, limit: AbortSignal, open: () => Promise<Pbs>): Promise<OtherHost> {
  try {
    const pbs = await open();
    const late = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(limit.reason), { once: true });
    });
    const asked = Promise.all([
      pbs.remotes(),
      pbs.version().then(({ version }) => pbs.syncs(version)),
      pbs.runningTasks(),
    ]);
    try {
      const [remotes, syncs, tasks] = await Promise.race([asked, late]);
      return { host, remotes, syncs, tasks, error: null };
    } finally {
      await pbs.close();
    }
  } catch (error) {
    return { host, error: errorDocument(error).message };
  }
}
