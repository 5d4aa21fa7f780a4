import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROUNDS = 20;
const CLI = resolve('dist/cli.js');
const COMMANDS = {
  nothing: ['-e', '0'],
  version: [CLI, '--version'],
  help: [CLI, '--help'],
} as const;

export const startUp = {
  name: 'start: `pbs-ctl --version`, `--help`, against `node -e 0`',
  target: 'at most 1.5 times',
  how: `Whole process, the three in turn, median of ${ROUNDS} each.`,
  async measure() {
    const times: Record<keyof typeof COMMANDS, number[]> = { nothing: [], version: [], help: [] };
    for (let round = 0; round < ROUNDS; round += 1)
      for (const name of ['nothing', 'version', 'help'] as const) times[name].push(timeOf(COMMANDS[name]));
    const [nothing, version, help] = [median(times.nothing), median(times.version), median(times.help)];
    const ratios = { version: version / nothing, help: help / nothing };
    return { nothingMs: nothing, ...ratios, met: ratios.version <= 1.5 && ratios.help <= 1.5 };
  },
};

function timeOf(args: readonly string[]): number {
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, [...args], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return performance.now() - begun;
}

const median = (times: readonly number[]): number => {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
