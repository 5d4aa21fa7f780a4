import { waitForTask } from '../api/tasks.js';
import { EXIT, Fault } from '../fault.js';
import { aptLocks } from '../guest/apt-locks.js';
import { evidenceIn } from '../guest/evidence.js';
import { poll } from '../poll.js';
import { adviceOf } from '../rules/advice.js';
import { causesIn } from '../rules/causes.js';
import { type Run, requireLock, step } from './run.js';

const LIMIT_MS = 10 * 60_000;
/** How long another apt is waited for. */
const OTHER_APT_MS = 60_000;

/** How an update of the package lists has failed. */
interface Failed {
  readonly exitStatus: string | null;
  /** What its log says of it. */
  readonly lines: readonly string[];
}

/**
 * `apt update` through the PBS API. A repository that fails shows as `WARNINGS`, and with an
 * unreachable mirror only as `Err:` lines of a task that ends `OK`. Where another apt holds the lists, it is waited
 * for, and the lists are refreshed once more.
 * @throws Fault `refresh.failed`, `refresh.slow` (exit 75)
 */
export async function refresh(run: Run): Promise<string> {
  await requireLock(run);
  let failed = await update(run);
  if (failed && causesIn(failed.lines)[0]?.kind === 'lists-locked') {
    await otherAptEnds(run);
    await requireLock(run);
    failed = await update(run);
  }
  if (failed) throw await asFault(run, failed);
  return 'package lists are fresh';
}

/** @returns null where it went well */
async function update(run: Run): Promise<Failed | null> {
  const { pbs, target } = run.host;
  const upid = await pbs.refreshPackages();
  const everyMs = Math.min(target.policy.pollInterval, 1000);
  const { signal } = run.interruption;
  const ended = await waitForTask(run.clock, { everyMs, limitMs: LIMIT_MS, signal }, async () => {
    const state = await pbs.taskState(upid);
    if (state.running) step(run, 'apt update', null, 'running');
    return state;
  });
  if (!ended) {
    throw new Fault(
      'refresh.slow',
      `apt update on ${target.host} has not ended after ${LIMIT_MS / 60_000} minutes.`,
      { hint: 'Look at its task log, then run again.', exitCode: EXIT.tryLater },
    );
  }
  const lines: string[] = [];
  await pbs.taskLog(upid, (line) => {
    lines.push(line);
  });
  if (ended.exitStatus === 'OK' && !lines.some(isFailure)) return null;
  return { exitStatus: ended.exitStatus ?? null, lines: evidenceIn(lines) };
}

/** Only the first line of an entry carries a time stamp. */
const isFailure = (line: string) => /^(?:\S+: )?(?:Err:|E: |Error: )/.test(line);

/** Without a guest nothing tells when it has ended: then half of the time has to do. */
async function otherAptEnds(run: Run): Promise<void> {
  const { clock, host, interruption } = run;
  const { guest, target } = host;
  const everyMs = Math.max(target.policy.pollInterval, 1000);
  const say = (words: string) => step(run, 'apt update', null, words);
  say('another apt holds the package lists: waiting for it');
  if (!guest) return clock.sleep(OTHER_APT_MS / 2, interruption.signal);
  await poll(clock, { everyMs, limitMs: OTHER_APT_MS, signal: interruption.signal }, async () => {
    const held = await aptLocks(guest).catch(() => null);
    const lists = held?.find(({ file }) => file.startsWith('/var/lib/apt/lists/'));
    if (lists) say(`${lists.process ?? 'process'} ${lists.pid} holds the package lists: waiting for it`);
    return held !== null && !lists ? true : null;
  });
}

async function asFault(run: Run, { exitStatus, lines }: Failed): Promise<Fault> {
  const { pbs, target } = run.host;
  const causes = causesIn(lines);
  const enterpriseFile =
    causes[0]?.kind === 'no-subscription'
      ? await pbs.repositories().then(fileOfEnterprise, () => null)
      : null;
  const advice = adviceOf(causes, { host: target.host, enterpriseFile });
  const means = advice ? `: ${advice.means}` : '';
  const [first] = lines;
  return new Fault(
    'refresh.failed',
    `The package lists could not be refreshed (${exitStatus ?? 'no result'})${means}${first === undefined ? '' : `: ${first.trim()}`}`,
    {
      hint:
        advice?.hint ??
        `Look at the repositories of ${target.host} (Administration > Repositories), then run again.`,
      exitCode: EXIT.tryLater,
      evidence: lines,
    },
  );
}

const fileOfEnterprise = ({
  enabled,
}: {
  enabled: ReadonlyArray<{ path: string; uri: string }>;
}): string | null => enabled.find(({ uri }) => uri.includes('enterprise.proxmox.com'))?.path ?? null;
