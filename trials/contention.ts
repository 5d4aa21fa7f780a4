import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../src/lab/lab.js';
import { Controller, type RunToEnd } from './controller.js';
import { Random } from './random.js';

export interface Contention {
  readonly acquisitions: number;
  readonly kills: number;
  /** How often two programs ran under the lock at once. */
  readonly violations: number;
}

/**
 * Processes that race for one lock, some of them killed on the way. What runs under the lock notices by
 * itself whether it is alone: it makes a folder that no other may have made.
 */
export async function contend({
  store,
  contenders,
  acquisitions,
  seed,
  carriers = [900],
  requestTimeoutMs = 500,
  run,
}: {
  store: 'guest-tag' | 'registered-tag';
  contenders: number;
  acquisitions: number;
  seed: number;
  /** Guests that the configs of the contenders name to carry the tag, in turn. */
  carriers?: readonly number[];
  /** How long they wait to see whether another came first rests on it. */
  requestTimeoutMs?: number;
  /** Runs `lock hold` in another way than in a process of its own, which may be killed. */
  run?: RunToEnd;
}): Promise<Contention> {
  const lab = await startLab({ factor: 100 });
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-contention-'));
  const notes = join(folder, 'notes');
  const random = new Random(seed);
  let [had, kills] = [0, 0];
  try {
    lab.cluster.access.grant('/', ['Sys.Modify']);
    const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
    for (const vmid of carriers) lab.cluster.access.grant(`/vms/${vmid}`, ['VM.Audit', 'VM.Config.Options']);
    config.policy = {
      ...config.policy,
      pollInterval: '100ms',
      requestTimeout: `${requestTimeoutMs}ms`,
      onExpiredLock: 'take-over',
    };
    const paths = carriers.map((vmid) => {
      config.clusters.main.lock = { store, vmid };
      const path = join(folder, `config-${vmid}.json`);
      writeFileSync(path, JSON.stringify(config));
      return path;
    });
    // Delays that requests may have, up to what the settle time assumes.
    lab.setWeather(() => (random.next() < 0.1 ? { kind: 'late', ms: random.between(1, 300) } : null));
    const alone = `mkdir ${folder}/held 2>/dev/null || echo broken >>${notes}; sleep 0.05; rmdir ${folder}/held 2>/dev/null; exit 0`;
    const lane = async (name: string, configPath: string) => {
      while (had < acquisitions) {
        const args = [
          ...['lock', 'hold', '--cluster', 'main', '--owner', name, '--ttl', '5s', '--wait', '60s'],
          ...['--config', configPath, '--', 'sh', '-c', alone],
        ];
        if (run) {
          if ((await run(args)).code === 0) had += 1;
          continue;
        }
        const controller = new Controller(args);
        const doomed = random.next() < 0.05;
        const timer = doomed
          ? setTimeout(() => controller.kill('SIGKILL'), random.between(200, 2000))
          : undefined;
        const { code, signal } = await controller.ended;
        clearTimeout(timer);
        if (code === 0) had += 1;
        if (signal === 'SIGKILL') kills += 1;
      }
    };
    await Promise.all(
      Array.from({ length: contenders }, (_, index) =>
        lane(`contender${index}`, paths[index % paths.length] ?? ''),
      ),
    );
    appendFileSync(notes, '');
    const violations = existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').filter(Boolean).length : 0;
    return { acquisitions: had, kills, violations };
  } finally {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
