import { NO_CHANGES, type PackageChanges } from './apt.js';
import { type Guest, lines, runReading, sh } from './exec.js';

const LOG = '/var/log/dpkg.log';
const LIMIT_MS = 30_000;

/** What dpkg has done since a moment (epoch seconds), or since this boot of the guest. */
export async function dpkgChanges(guest: Guest, since: number | 'boot'): Promise<PackageChanges> {
  const moment = since === 'boot' ? '$(cut -d. -f1 /proc/uptime) seconds ago' : `@${Math.floor(since)}`;
  // What was only unpacked before a boot takes part in none: a kernel gets its entry in the boot menu when configured.
  const verbs = since === 'boot' ? 'install|upgrade|remove|purge|configure' : 'install|upgrade|remove|purge';
  // Its lines are in the time of the guest, without a zone. The older file first.
  const script = `export LC_ALL=C.UTF-8
since=$(date -d "${moment}" '+%F %T') || exit
for file in ${LOG}.1 ${LOG}; do test -e $file && awk -v since="$since" '($1 " " $2) >= since && $3 ~ /^(${verbs})$/' $file; done; exit 0`;
  return readDpkgLog((await runReading(guest, sh(script), LIMIT_MS)).stdout);
}

/**
 * Reads lines such as `2026-11-23 02:01:12 upgrade openssl:amd64 3.5.4-1~deb13u1 3.5.4-1~deb13u2` and
 * `2026-11-23 02:01:13 configure openssl:amd64 3.5.4-1~deb13u2 <none>`. Pure.
 */
export function readDpkgLog(text: string): PackageChanges {
  const first = new Map<string, string | null>();
  const last = new Map<string, string | null>();
  for (const line of lines(text)) {
    const [, , verb, what = '', from = '', to = ''] = line.split(' ');
    const name = what.replace(/:.*/, '');
    if (verb === 'configure') {
      if (!first.has(name)) first.set(name, 'unpacked');
      last.set(name, from);
      continue;
    }
    if (!first.has(name)) first.set(name, from === '<none>' ? null : from);
    last.set(name, verb === 'remove' || verb === 'purge' ? null : to);
  }
  return changesBetween(first, last);
}

/** From the versions before and after; null: not installed. */
export function changesBetween(
  before: ReadonlyMap<string, string | null>,
  after: ReadonlyMap<string, string | null>,
): PackageChanges {
  const all = [...after].map(([name, to]) => ({ name, from: before.get(name) ?? null, to }));
  return {
    ...NO_CHANGES,
    upgraded: all.flatMap(({ name, from, to }) =>
      from !== null && to !== null && from !== to ? [{ name, from, to }] : [],
    ),
    installed: all.flatMap(({ name, from, to }) => (from === null && to !== null ? [{ name, to }] : [])),
    removed: all.flatMap(({ name, from, to }) =>
      from !== null && to === null ? [{ name, from, by: 'upgrade' as const }] : [],
    ),
  };
}
