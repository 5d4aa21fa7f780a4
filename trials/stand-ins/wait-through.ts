import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectPbs } from '../../src/api/connect.js';
import { Secret } from '../../src/config/secret.js';
import { Journal } from '../../src/journal/journal.js';
import type { Run } from '../../src/patch/run.js';
import { waitForBoot } from '../../src/patch/wait.js';
import { realClock, realWorld } from '../../src/world.js';
import type { Downtime } from './ansible-wait.js';
import type { Order, Word } from './rebooting-host.js';

/** One for all hosts: each listens for signals. */
const WORLD = realWorld();

/** Lets the product wait for a host through one downtime. @returns how long after the host was back it knew */
export async function waitThrough(downtime: Downtime, pollMs: number, address: string) {
  const host = fork(fileURLToPath(new URL('rebooting-host.js', import.meta.url)), [address]);
  try {
    const { port, fingerprint } = await hear(host, 'ready');
    const pbs = connectPbs({
      name: 'pbs01',
      endpoints: [`https://${address}:${port}`],
      tokenId: 'pbs-ctl@pbs!patch',
      secret: new Secret('11111111-2222-3333-4444-555555555555', 'the trial'),
      tls: { fingerprints: [fingerprint] },
      requestTimeoutMs: 15_000,
      world: WORLD,
    });
    const begun = Date.now();
    const knows = waitForBoot(runOf(pbs, begun, pollMs)).then(() => Date.now());
    // Seen below; until then it must not end the process, which has hosts to end that it has stopped.
    knows.catch(() => {});
    const at = (seconds: number) => delay(Math.max(0, begun + seconds * 1000 - Date.now()));
    await at(downtime.downAt);
    await order(host, { kind: 'down', listening: downtime.drops, swallow: downtime.swallows });
    const fillers = downtime.drops ? await dropPackets(host, address, port) : [];
    await at(downtime.upAt);
    const most = hear(host, 'most');
    host.kill('SIGCONT');
    await order(host, { kind: 'up' });
    const up = Date.now();
    for (const filler of fillers) filler.destroy();
    const late = (await knows) - up;
    await pbs.close();
    await most;
    const again = hear(host, 'most');
    await order(host, { kind: 'up' });
    return { lateSeconds: late / 1000, mostInFlight: (await again).inFlight };
  } finally {
    host.kill('SIGKILL');
  }
}

/** Stops the process and fills its queue until the kernel answers no more. */
async function dropPackets(host: ChildProcess, address: string, port: number): Promise<Socket[]> {
  host.kill('SIGSTOP');
  const fillers: Socket[] = [];
  for (;;) {
    const filler = connect({ host: address, port }).on('error', () => {});
    fillers.push(filler);
    const taken = await Promise.race([
      once(filler, 'connect').then(() => true),
      delay(150).then(() => false),
    ]);
    if (!taken) return fillers;
  }
}

function runOf(pbs: ReturnType<typeof connectPbs>, begun: number, pollInterval: number): Run {
  const journal = Journal.inMemory('k3f9x2', realClock, {
    type: 'started',
    host: 'pbs01',
    mode: 'patch',
    owesReboot: false,
  });
  journal.append({
    type: 'upgraded',
    packages: { upgraded: [], installed: [], removed: [], held: [], keptBack: [] },
  });
  journal.append({
    type: 'reboot-intended',
    boot: { bootTime: Math.floor(begun / 1000) - 1_000_000, bootId: null },
  });
  const policy = { rebootTimeout: 600_000, pollInterval, requestTimeout: 15_000 };
  return {
    host: { pbs, guest: null, target: { host: 'pbs01', policy } },
    journal,
    clock: realClock,
    reporter: { emit: () => {}, end: () => {} },
    interruption: { signal: new AbortController().signal },
  } as unknown as Run;
}

async function order(host: ChildProcess, what: Order): Promise<void> {
  const done = hear(host, 'done');
  host.send(what);
  await done;
}

function hear<Kind extends Word['kind']>(
  host: ChildProcess,
  kind: Kind,
): Promise<Extract<Word, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const listen = (word: Word) => {
      if (word.kind !== kind) return;
      host.off('message', listen);
      resolve(word as Extract<Word, { kind: Kind }>);
    };
    host.on('message', listen).once('exit', () => reject(new Error('the host has ended')));
  });
}
