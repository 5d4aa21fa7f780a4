/** Which unit requires which: a unit, and those that systemd stops or fails with it. */
export type RequiredBy = ReadonlyMap<string, readonly string[]>;

/** What backups rest on by its name. Whatever one of these requires counts too, as systemd says. */
const NEEDED: readonly RegExp[] = [
  // PBS itself, but for what looks for updates and what greets on the console.
  /^proxmox-backup(?!-daily-update|-banner)/,
  // File systems, and what carries them.
  /\.(mount|automount)$/,
  /^(local-fs|remote-fs)(-pre)?\.target$/,
  /^systemd-(fsck|remount-fs|cryptsetup|udevd)\b/,
  /^(zfs|lvm|dm-event|blk-availability|multipath|mdadm|mdraid|cryptdisks|iscsi|open-iscsi|nfs|rpc|cifs)/,
  // Network.
  /^(networking|ifup|ifupdown|systemd-networkd|systemd-resolved|NetworkManager|network|frr)\b/,
  // Time.
  /^(chrony|chronyd|ntp|ntpsec|ntpd|openntpd|systemd-timesyncd|systemd-time-wait-sync|time-sync)\b/,
];

/**
 * Whether backups rest on a unit: its failure after the reboot holds the fence.
 * @param more `policy.requiredUnits`, with or without ".service"
 */
export function backupsRestOn(unit: string, requiredBy: RequiredBy, more: readonly string[]): boolean {
  const seen = new Set([unit]);
  for (const each of seen) {
    if (NEEDED.some((name) => name.test(each))) return true;
    if (more.some((name) => each === name || each === `${name}.service`)) return true;
    for (const other of requiredBy.get(each) ?? []) seen.add(other);
  }
  return false;
}
