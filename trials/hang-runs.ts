import { Controller } from './controller.js';
import { FAULTS, hang, READING } from './hang.js';

// npm run trial:hang: every endpoint that a command asks which only reads hangs in turn, never answers, trickles, or
// answers late, and so do a datastore and the root daemon. LANES commands at once; ONLY=preflight for one of them.

const LANES = Number(process.env.LANES ?? 3);
const REQUEST_TIMEOUT_MS = 1500;

const waiting = Object.keys(READING).filter((command) => (process.env.ONLY ?? command) === command);
const total = { runs: 0, endpoints: 0, violations: 0, slowest: 0 };
const lane = async () => {
  for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
    const { runs, endpoints, slowest, ...hung } = await hang({
      command,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      faults: FAULTS,
      run: (args) => new Controller(args).ended,
      found: (violation) => console.log(violation),
    });
    const violations = [...hung.violations, ...hung.late];
    console.log(
      `${command.padEnd(14)} ${endpoints} endpoints, ${runs} runs, slowest ${Math.round(slowest * 100)} % of the time, ${violations.length} violations`,
    );
    total.runs += runs;
    total.endpoints += endpoints;
    total.violations += violations.length;
    total.slowest = Math.max(total.slowest, slowest);
  }
};
await Promise.all(Array.from({ length: LANES }, lane));
console.log(
  `${total.runs} runs over ${total.endpoints} endpoints, slowest ${Math.round(total.slowest * 100)} % of the time, ${total.violations} violations`,
);
process.exit(total.violations === 0 ? 0 : 1);
