import { Random } from '../random.js';
import { sideBySide } from '../side-by-side.js';
import { ansibleKnowsAfter, type Downtime } from '../stand-ins/ansible-wait.js';
import { waitThrough } from '../stand-ins/wait-through.js';

const POLL_MS = 2000;

export const rebootDetection = {
  name: 'reboot: from the moment the API answers until pbs-ctl knows',
  target: 'mean ≤ 1.0 s, p95 ≤ 2.2 s, never two probes of one kind in flight; ratio to Ansible ≤ 0.05',
  how: 'The wait of `patch` against a process that plays the host, 40 downtimes of 15 to 60 s (seed 7): half refuse connections, half drop packets (the process is stopped and its queue full, so the kernel answers no SYN), a quarter swallow the first request. The algorithm of ansible.builtin.reboot is simulated on the same downtimes.',
  async measure(count = 40) {
    const random = new Random(7);
    const downtimes = Array.from({ length: count }, (_, index): Downtime => {
      const downAt = 1 + random.next() * 3;
      return { downAt, upAt: downAt + 15 + random.next() * 45, drops: index % 2 === 0, swallows: false };
    }).map((each, index) => ({ ...each, swallows: index % 8 < 2 }));
    const seen = await sideBySide(downtimes, 20, (downtime, index) =>
      waitThrough(downtime, POLL_MS, `127.77.${process.pid % 250}.${index + 1}`),
    );
    const late = seen.map(({ lateSeconds }) => lateSeconds);
    const ansible = downtimes.flatMap((downtime) =>
      Array.from({ length: 25 }, () => ansibleKnowsAfter(downtime, random)),
    );
    const result = {
      mean: mean(late),
      p95: quantile(late, 0.95),
      longest: Math.max(...late),
      mostInFlight: Math.max(...seen.map(({ mostInFlight }) => mostInFlight)),
      ansibleMean: mean(ansible),
      ratio: mean(late) / mean(ansible),
    };
    return {
      ...result,
      met: result.mean <= 1 && result.p95 <= 2.2 && result.mostInFlight <= 1 && result.ratio <= 0.05,
    };
  },
};

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const quantile = (numbers: readonly number[], share: number) =>
  [...numbers].sort((a, b) => a - b)[Math.ceil(share * numbers.length) - 1] ?? Number.NaN;
