import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AgentSocket } from './agent-socket.js';
import { Emulator } from './emulator.js';
import { until } from './patience.js';

const RECIPE = fileURLToPath(new URL('./image/', import.meta.url));
const EMULATOR = fileURLToPath(new URL('./emulator.ts', import.meta.url));

/** Disks of the guest, the root disk first. */
export const DISKS = ['root', 'tank', 'vault'] as const;
/** Name of the snapshot of the booted guest. */
export const BOOTED = 'booted';

/** The built images and a guest that was booted from them once. */
export interface Image {
  readonly folder: string;
  /** Releases of the kernels, the oldest first. */
  readonly kernels: readonly string[];
  /** Overlays with the snapshot of the booted guest. */
  readonly booted: string;
}

/** Builds and boots what is not in the cache yet. `say` tells what takes time. */
export async function prepareImage(say: (text: string) => void): Promise<Image> {
  const cache = join(
    process.env.PBS_CTL_GUEST_CACHE ??
      join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pbs-ctl'),
  );
  const recipe = readdirSync(RECIPE)
    .sort()
    .map((name) => readFileSync(join(RECIPE, name)));
  const folder = join(cache, `image-${digest(recipe)}`);
  const booted = join(folder, `booted-${digest([readFileSync(EMULATOR)])}`);
  if (!existsSync(folder)) await make(folder, say, 'build of the image', async (to) => build(to));
  const kernels = readFileSync(join(folder, 'kernels'), 'utf8').trim().split('\n');
  const image = { folder, kernels, booted };
  if (!existsSync(booted)) await make(booted, say, 'first boot', (to) => boot(image, to));
  return image;
}

/** Into a folder of its own, renamed when it is whole: what was interrupted is begun anew. */
async function make(
  folder: string,
  say: (text: string) => void,
  what: string,
  act: (to: string) => Promise<void>,
): Promise<void> {
  const begun = performance.now();
  const to = `${folder}.new`;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  await act(to);
  renameSync(to, folder);
  say(`${what}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}

async function build(to: string): Promise<void> {
  const { status, stdout, stderr } = spawnSync(join(RECIPE, 'build.sh'), [to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the image could not be built:\n${stdout}${stderr}`);
}

async function boot({ folder, kernels }: Image, to: string): Promise<void> {
  for (const disk of DISKS)
    execFileSync('qemu-img', [
      ...['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', join(folder, `${disk}.img`)],
      join(to, `${disk}.qcow2`),
    ]);
  const emulator = await Emulator.start({
    folder: to,
    image: folder,
    kernel: kernels[0] ?? '',
    disks: DISKS,
  });
  const agent = new AgentSocket(join(to, 'agent'));
  try {
    await until('PBS', () => emulator.isOpen('proxy'));
    await until('the daemon of PBS', () => emulator.isOpen('daemon'));
    await until('the agent', () => agent.ping());
    await until('the end of the boot', () => isRunning(agent));
    await emulator.monitor(`savevm ${BOOTED}`);
  } finally {
    await emulator.kill();
  }
}

async function isRunning(agent: AgentSocket): Promise<boolean> {
  const { pid } = await agent.ask<{ pid: number }>('guest-exec', {
    path: 'systemctl',
    arg: ['is-system-running', '--wait'],
  });
  for (;;) {
    const { exited, exitcode } = await agent.ask<{ exited: boolean; exitcode?: number }>(
      'guest-exec-status',
      {
        pid,
      },
    );
    if (exited) return exitcode === 0;
    await sleep(200);
  }
}

const digest = (parts: readonly Buffer[]) =>
  parts
    .reduce((hash, part) => hash.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);
