import { formatSize } from '../config/quantity.js';
import { UNTIL_UPGRADED } from '../rules/rounds.js';
import { block, check, pass } from './check.js';

/** Has the root file system enough space for an upgrade? */
export const pbsDisk = check({
  id: 'pbs.disk',
  rules: { rounds: UNTIL_UPGRADED },
  look: async ({ pbs }) => (await pbs.nodeStatus()).root.available,
  judge(available, { target: { policy } }) {
    const line = `${formatSize(available)} free on the root file system`;
    return available >= policy.minRootFree
      ? pass(line)
      : block(`${line}, ${formatSize(policy.minRootFree)} needed`);
  },
});
