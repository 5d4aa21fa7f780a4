#!/bin/bash
# Makes a fresh Debian the guest of the tests.
#   configure.sh ROOT
set -euo pipefail
root=$1

echo pbs01 >"$root/etc/hostname"
echo '127.0.0.1 localhost pbs01' >"$root/etc/hosts"
cat >"$root/etc/fstab" <<'FSTAB'
/dev/vda / ext4 defaults 0 1
LABEL=tank /mnt/datastore/tank ext4 defaults,nofail,x-systemd.device-timeout=60s 0 0
LABEL=vault /mnt/datastore/vault ext4 defaults,nofail,x-systemd.device-timeout=60s 0 0
FSTAB
mkdir -p "$root/mnt/datastore/"{tank,vault} "$root/var/log/journal" "$root/etc/lab"

: >"$root/etc/apt/sources.list"
echo 'deb [trusted=yes] copy:/srv/repo/small ./' >"$root/etc/apt/sources.list.d/small.list"
chroot "$root" apt-get -q update >/dev/null

# Nothing may start by itself in the middle of a test.
mask=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  logrotate.timer systemd-tmpfiles-clean.timer getty@.service serial-getty@.service console-getty.service
  modprobe@.service systemd-timesyncd.service systemd-firstboot.service)
for unit in "${mask[@]}"; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
