import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../../src/lab/lab.js';
import { patchArgs } from '../controller.js';
import { footprintOf } from '../stand-ins/footprint.js';

export const againstAnsible = {
  name: 'the same steps by an Ansible playbook, machines that take no time',
  target: 'own time at most 0.15 of the playbook’s, CPU at most a fifth',
  how: 'The playbook runs over a local connection (SSH would cost more) with commands that end at once in place of apt, the reboot and the checks. pbs-ctl patches a host of the lab that is 2,000 times as fast as a real one; the phases `upgrade` and `wait`, in which it only follows the machine, are taken off. CPU is that of each command with its children. Skipped where ansible-playbook is missing.',
  async measure() {
    if (spawnSync('ansible-playbook', ['--version']).status !== 0)
      return { skipped: 'ansible-playbook is not installed (Debian: ansible-core)', met: null };
    const playbook = runPlaybook();
    const lab = await startLab({ factor: 2000 });
    try {
      const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
      config.policy = { ...config.policy, stableFor: '0s', pollInterval: '100ms' };
      writeFileSync(lab.configPath, JSON.stringify(config));
      const events = join(lab.dir, 'events.jsonl');
      const { ended, wallMs, cpuMs } = await footprintOf(patchArgs(lab.configPath, '--events', events));
      if (ended.code !== 0) throw new Error(`patch ended with ${ended.code}: ${ended.stderr}`);
      const ownMs = wallMs - lengthOf(events, 'upgrade') - lengthOf(events, 'wait');
      const [time, cpu] = [ownMs / playbook.wallMs, cpuMs / playbook.cpuMs];
      return { playbook, pbsCtl: { wallMs, ownMs, cpuMs }, time, cpu, met: time <= 0.15 && cpu <= 0.2 };
    } finally {
      await lab.stop();
    }
  },
};

/** From the beginning of a phase to its end, milliseconds. */
function lengthOf(events: string, phase: string): number {
  const times = readFileSync(events, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; phase?: string; time: string })
    .filter((each) => each.event === 'phase' && each.phase === phase)
    .map(({ time }) => Date.parse(time));
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

/** What a role for one host usually asks, in its order; each is a task of its own, as in a role. */
const STEPS = [
  ...['running tasks', 'backup jobs', 'locks', 'quorum', 'free space', 'held packages', 'dpkg audit'],
  ...['take the lock', 'maintenance mode of tank', 'maintenance mode of vault', 'update', 'simulate'],
  ...['dist-upgrade', 'autoremove', 'autoclean', 'reboot required', 'boot id before', 'reboot'],
  ...['boot id after', 'services', 'failed units', 'mounts', 'datastores', 'versions', 'kernel'],
  ...['lift maintenance of tank', 'lift maintenance of vault', 'release the lock'],
];

function runPlaybook(): { wallMs: number; cpuMs: number } {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-playbook-'));
  try {
    const file = join(folder, 'patch.json');
    const tasks = STEPS.map((name) => ({ name, 'ansible.builtin.command': 'true', changed_when: false }));
    writeFileSync(file, JSON.stringify([{ hosts: 'all', connection: 'local', gather_facts: true, tasks }]));
    const before = childrenCpuMs();
    const begun = performance.now();
    const { status, stdout } = spawnSync('ansible-playbook', ['-i', 'pbs01,', file], {
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, LC_ALL: 'C.UTF-8', ANSIBLE_LOCALHOST_WARNING: 'false' },
    });
    if (status !== 0) throw new Error(`the playbook ended with ${status}: ${stdout}`);
    return { wallMs: performance.now() - begun, cpuMs: childrenCpuMs() - before };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** CPU time of all children of this process that have ended, from the kernel (fields 16 and 17, 100 a second). */
function childrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
