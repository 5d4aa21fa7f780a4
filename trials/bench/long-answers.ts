import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startFleet } from '../stand-ins/fleet.js';

export const longAnswers = {
  name: 'task list of 100,000 entries, task log of 1,000,000 lines, apt output of 50 MB',
  target: 'at most 120 MB peak each; progress goes on',
  how: "A process with the product's clients and phases (refresh, upgrade) reads each of them; the servers are another process, the guest agent hands out 256 KiB a look. Peak is the VmHWM of the reading process; `nothing` is what it takes to be there.",
  async measure() {
    const servers = await startFleet(1, 1, 0);
    const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-reader-'));
    try {
      const read = async (what: string) => {
        const { stdout } = await promisify(execFile)(process.execPath, [
          fileURLToPath(new URL('../stand-ins/reader.js', import.meta.url)),
          ...[what, `https://127.0.0.1:${servers.port}`, servers.fingerprint, join(folder, what)],
        ]);
        return JSON.parse(stdout) as { peakMb: number; steps: number; handedOut: number };
      };
      const nothing = await read('nothing');
      const [tasks, log, apt] = [await read('tasks'), await read('log'), await read('apt')];
      const met = [tasks, log, apt].every(({ peakMb }) => peakMb <= 120) && apt.steps > 50;
      return { nothing, tasks, log, apt, met };
    } finally {
      await servers.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
