import { formatSize } from '../config/quantity.js';
import { block, type Check, pass } from './check.js';

/** Has the root file system enough space for an upgrade? */
export const pbsDisk: Check<number> = {
  id: 'pbs.disk',
  look: async ({ pbs }) => (await pbs.nodeStatus()).root.available,
  judge(available, { target: { policy } }) {
    const line = `${formatSize(available)} free on the root file system`;
    return available >= policy.minRootFree
      ? pass(line)
      : block(`${line}, ${formatSize(policy.minRootFree)} needed`);
  },
};
