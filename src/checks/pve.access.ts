import { describeNeed, heldOn, type Need, neededOnPve, unmet } from '../api/needed-privileges.js';
import { block, type Check, type Judgement, pass, worstOf } from './check.js';

/** Has the PVE token every privilege that a run needs, in every cluster? */
export const pveAccess: Check<ReadonlyArray<readonly [string, { missing: readonly Need[]; asked: number }]>> =
  {
    id: 'pve.access',
    lasting: true,
    look: ({ clusters, target }) =>
      Promise.all(
        clusters.map(async ({ name, pve, config, lockVmid }) => {
          const asked = pve.version().then(({ major }) =>
            neededOnPve(config.token, major, {
              // Also where a service upgrades: mounts and boots are looked at from inside the guest.
              guest: target.guest?.cluster === name ? target.guest.vmid : null,
              carrier: lockVmid,
              registeredTags: config.lock.store === 'registered-tag',
            }),
          );
          const [needs, held] = await Promise.all([asked, heldOn(pve, asked)]);
          return [name, { missing: unmet(needs, held), asked: needs.length }] as const;
        }),
      ),
    judge: (seen) =>
      worstOf(
        seen.map(([name, { missing, asked }]): [string, Judgement] => {
          if (missing.length === 0) return [name, pass(`all ${asked} privileges are held`)];
          const commands = [...new Set(missing.map(({ grant }) => grant))];
          const fixes = [{ where: `a node of ${name}`, commands }];
          return [name, { ...block(missing.map(describeNeed).join('; '), { commands }), fixes }];
        }),
      ),
  };
