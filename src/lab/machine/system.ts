import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOut, put, writeBootFiles, writeMounts } from './disk.js';
import { writeJournal } from './journal.js';
import { readInstalled, writePackages } from './packages.js';
import { releaseOf } from './release.js';
import { DEFAULT_MOUNTS, type MachineSpec, UPGRADE_SECONDS } from './spec.js';
import { TOOLBOX } from './toolbox-folder.js';
import { HOST_UNITS, mountUnit, writeUnit } from './units.js';

/** One boot of a machine. */
export interface Boot {
  readonly id: string;
  readonly kernel: string;
  /** Epoch seconds. */
  readonly at: number;
}

/** A machine's folder under a path that a shell takes for one word, and what to remove in the end. */
export interface Root {
  readonly path: string;
  readonly link: string | null;
}

/** Makes the folder of a machine; what an earlier lab left in it goes. */
export function makeRoot(dir: string): Root {
  if (existsSync(join(dir, '.machine'))) rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, '.machine'), { recursive: true });
  if (/^[\w./+-]+$/.test(dir)) return { path: dir.replace(/\/+$/, ''), link: null };
  const link = join(mkdtempSync(join(tmpdir(), 'pbs-ctl-lab-')), 'root');
  symlinkSync(dir, link);
  return { path: link, link };
}

export function removeRootLink({ link }: Root): void {
  if (link) rmSync(join(link, '..'), { recursive: true, force: true });
}

/** Installs the operating system that the spec describes. */
export function install(root: string, name: string, spec: MachineSpec): void {
  const release = releaseOf(spec.release ?? '4.2');
  const state = join(root, '.machine');
  symlinkSync(TOOLBOX, join(state, 'toolbox'));
  layOut(root, name, release, spec);
  put(root, '/.machine/hostname', `${name}\n`);
  put(root, '/.machine/debian', `${release.debian.id}\n`);
  put(root, '/.machine/events', '');
  writeFileSync(join(state, 'upgrade.json'), JSON.stringify({ seconds: UPGRADE_SECONDS, ...spec.upgrade }));
  if (spec.upgrade?.startsAfterSeconds)
    put(root, '/.machine/slow-starts', `${spec.upgrade.startsAfterSeconds}\n`);
  if (spec.aptConf) put(root, '/etc/apt/apt.conf.d/50lab', spec.aptConf);
  writePackages(state, spec);
  for (const { kernel } of readInstalled(state)) if (kernel) put(root, `/boot/vmlinuz-${kernel}`, '');
}

/** Starts the system: files of the boot, mounts, units. */
export function startSystem(
  root: string,
  spec: MachineSpec,
  boot: Boot,
  wrong: { readonly mounts: readonly string[]; readonly units: readonly string[] },
): void {
  const state = join(root, '.machine');
  const missing = new Set(wrong.mounts);
  writeBootFiles(root, boot);
  writeMounts(root, spec, missing);
  const agent = spec.agent?.installed === false ? [] : ['qemu-guest-agent.service'];
  for (const id of new Set([...HOST_UNITS, ...agent, ...wrong.units])) {
    writeUnit(state, id, wrong.units.includes(id) ? 'failed' : 'active');
  }
  for (const { path } of spec.mounts ?? DEFAULT_MOUNTS) {
    const unit = mountUnit(path);
    writeUnit(state, unit, missing.has(path) ? 'inactive' : 'active');
    if (missing.has(path))
      writeJournal(root, { bootId: boot.id, unit: 'systemd' }, `Dependency failed for ${unit} - ${path}.`);
  }
}

/** What `systemctl is-system-running` says, but for `degraded`, which it finds itself. */
export function putSystemState(root: string, state: 'starting' | 'running' | 'stopping'): void {
  put(root, '/.machine/system', `${state}\n`);
}
