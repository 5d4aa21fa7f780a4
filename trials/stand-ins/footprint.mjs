// Loaded into a process of the built command: at its end writes what it took to the file $FOOTPRINT.
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  writeFileSync(
    process.env.FOOTPRINT,
    JSON.stringify({
      peakMb: Number(peak?.[1] ?? 0) / 1024,
      cpuMs: (userCPUTime + systemCPUTime) / 1000,
      wallMs: performance.now(),
    }),
  );
});
