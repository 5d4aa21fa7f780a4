import type { Asking, Check } from '../../src/checks/check.js';
import { parseConfig } from '../../src/config/load.js';
import { type Target, targetOf } from '../../src/config/target.js';

export const NOW = 1_764_000_000;
export const target = (policy: object = {}): Target =>
  targetOf(
    parseConfig(
      JSON.stringify({
        clusters: {
          main: { endpoints: ['https://pve1:8006'], token: 'a@pve!b', secret: { env: 'X' }, tls: {} },
        },
        hosts: {
          pbs01: {
            endpoint: 'https://pbs01:8007',
            token: 'a@pbs!b',
            secret: { env: 'X' },
            tls: {},
            guest: { cluster: 'main', vmid: 900 },
            policy,
          },
        },
      }),
      'test',
    ),
    'pbs01',
  );
/** The judgement on what a check saw; only the fields that the case is about are given. */
export const judge = <Seen>(
  check: Check<Seen>,
  seen: unknown,
  policy: object = {},
  asking: Partial<Asking> = {},
) => check.judge(seen as Seen, { target: target(policy), now: NOW, ownRun: 'k3f9x2', ...ASKING, ...asking });

/** A run takes 30 minutes. */
export const ASKING: Asking = { round: 'preflight', takes: 30 * 60, ownTasks: [], upgradeBegun: false };
