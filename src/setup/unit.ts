import { type Config, config as configFile } from '../config/schema.js';
import { targetOf } from '../config/target.js';
import { upgradeFiles } from '../guest/upgrade-script.js';
import type { Recipe } from './recipe.js';

const UNIT = 'pbs-ctl-upgrade.service';

/**
 * The unit and the script that an administrator puts on a host with `"upgrade": {"via": "service"}`. The
 * policy is part of the script, so hosts whose policies differ get files of their own.
 * @param config null: unit name and policy are the defaults
 */
export function unitFiles(config: Config | null): Recipe[] {
  const { hosts: all, policy: common } = config ?? configFile.parse({ clusters: {}, hosts: {} });
  const targets = config ? Object.keys(all).map((host) => targetOf(config, host)) : [];
  const byService = targets.filter(({ upgradeUnit }) => upgradeUnit !== null);
  if (byService.length === 0) return [...upgradeFiles(UNIT, common)];
  const sets = new Map<string, { files: readonly Recipe[]; hosts: string[] }>();
  for (const { host, upgradeUnit, policy } of byService) {
    const files = upgradeFiles(upgradeUnit ?? UNIT, policy);
    const key = JSON.stringify(files);
    const same = sets.get(key);
    if (same) same.hosts.push(host);
    else sets.set(key, { files, hosts: [host] });
  }
  return [...sets.values()].flatMap(({ files, hosts }) => files.map((file) => ({ ...file, hosts })));
}
