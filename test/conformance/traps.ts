/**
 * What is done about each row of the two tables "trap -> consequence": rows with a test of that name
 * ("PVE 5: …", "PBS 12: …") are found by it; the others stand here with the reason, or with the scenario of
 * the lab that plays them (every scenario has a test of its own).
 */
export type Elsewhere = { readonly scenario: string } | { readonly why: string };

export const ROWS = { pve: 52, pbs: 36 } as const;

export const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  'PVE 23': { why: 'no pool is used as a lock' },
  'PVE 33': { why: 'nothing rests on failed backups being repeated: whatever would hit a run is waited for' },
  'PVE 41': { scenario: 'agent-restarts' },
  'PVE 45': { why: 'the time of a guest is not asked of its agent' },
  'PBS 8': { scenario: 'repo-broken' },
  'PBS 9': { scenario: 'mirror-unreachable' },
  'PBS 23': { why: 'a run is over before overdue jobs begin, and promises nothing about the time after it' },
  'PBS 14': { why: 'the unit itself is followed, not the task that started it' },
  'PBS 16': { why: 'a reader without a task has to be there in several looks' },
  'PBS 17': { why: 'what touches a datastore is not repeated' },
  'PBS 18': { why: 'groups are not read' },
  'PBS 29': { why: 'each datastore is asked for its own status' },
  'PBS 33': { why: 'no token is deleted' },
  'PBS 36': { scenario: 'reboot-answer-lost' },
};
