import type { Mutation } from './fuzz-mutate.js';
import type { Recorded } from './fuzz-record.js';

interface Rule {
  readonly scenario: string;
  readonly path: RegExp;
  readonly where: RegExp;
  /** Why no other answer could contradict this one. */
  readonly because: string;
}

/**
 * When an answer that was changed may turn a block into a pass: only where it is the one that holds the fact, so that
 * a server which changes it says that the fact is over. Everything else is a fault of a check.
 */
const RULES: readonly Rule[] = [
  {
    scenario: 'backup-due-soon',
    path: /^\/cluster\/backup$/,
    where: /^(\d+)?(\.(enabled|vmid|all|pool|exclude|node|storage|schedule|next-run))? ?/,
    because: 'which jobs there are, and what they back up, is told by the list of jobs alone',
  },
  {
    scenario: 'pve-patching',
    path: /^\/cluster\/resources$/,
    where: /^(\d+)?(\.tags)? /,
    because: 'the tag of a guest is told by the list of guests alone',
  },
  {
    scenario: 'pve-node-down',
    path: /^\/cluster\/status$/,
    where: /^\d+\.(online|nodes) /,
    because: 'which nodes are online is told by the status of the cluster alone',
  },
  {
    scenario: 'pve-without-quorum',
    path: /^\/cluster\/status$/,
    where: /^\d+\.quorate |^\d* ?(one less|emptied)$/,
    because: 'whether there is quorum is told by the status of the cluster alone',
  },
];

export const reasonFor = (scenario: string, { path }: Recorded, mutation: Mutation): string | null =>
  RULES.find(
    (rule) =>
      rule.scenario === scenario &&
      rule.path.test(path) &&
      rule.where.test(`${mutation.path} ${mutation.kind}`),
  )?.because ?? null;
