/**
 * Packages that no upgrade and no autoremove may take away: without them there is no backup server, no way back to
 * it, or no boot. A name may end in `*`. `policy.protectedPackages` adds to them.
 */
export const PROTECTED: readonly string[] = [
  'proxmox-backup*',
  'qemu-guest-agent',
  'proxmox-default-kernel',
  'proxmox-kernel-helper',
  'pve-kernel-helper',
  'grub*',
  'shim-*',
  'systemd-boot*',
  'efibootmgr',
  'proxmox-secure-boot-support',
  'initramfs-tools*',
  'dracut*',
  'ifupdown*',
  'zfsutils-linux',
  'zfs-initramfs',
  'openssh-server',
  'systemd',
  'systemd-sysv',
];

/**
 * A function in sh that prints what else is protected on this host, a name a line: the running and the newest kernel,
 * and what carries its mounts. The survey and the upgrade ask it alike.
 */
export const CARRIERS = `carriers() {
  newest=$(dpkg-query -W -f='\${db:Status-Abbrev}\${Package}\\n' '*-kernel-[0-9]*' 'linux-image-[0-9]*' 2>/dev/null | sed -nE 's/^.i ?(proxmox-kernel|pve-kernel|linux-image)-([0-9]+[.][0-9]+[.][0-9].*)$/\\2/p' | sed -E 's/-(un)?signed$//' | sort -V | tail -n 1)
  for kernel in "$(uname -r)" $newest; do
    for name in proxmox-kernel- pve-kernel- linux-image-; do echo "$name$kernel"; echo "$name$kernel-signed"; echo "$name$kernel-unsigned"; done
  done | sort -u
  findmnt -rn -o SOURCE,FSTYPE | while read -r source type; do
    case $type in nfs*) echo nfs-common ;; cifs | smb3) echo cifs-utils ;; btrfs) echo btrfs-progs ;; fuse.sshfs) echo sshfs ;; fuse.glusterfs) echo glusterfs-client ;; esac
    case $source in /dev/mapper/* | /dev/dm-*) echo lvm2; echo cryptsetup; echo multipath-tools ;; /dev/md*) echo mdadm ;; esac
  done | sort -u
  for session in /sys/class/iscsi_session/* /etc/iscsi/nodes/* /var/lib/iscsi/nodes/*; do [ -e "$session" ] && echo open-iscsi && break; done
  true
}`;

/** Whether a package is among the patterns; apt appends the architecture of a foreign one. */
export function isAmong(name: string, patterns: readonly string[]): boolean {
  const plain = name.replace(/:[a-z0-9]+$/, '');
  return patterns.some((each) => (each.endsWith('*') ? plain.startsWith(each.slice(0, -1)) : plain === each));
}
