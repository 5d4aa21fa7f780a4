#!/bin/bash
# Makes the packages of the tests, installs the old ones and puts the new ones into the repositories.
#   packages.sh WORK ROOT      (WORK/debs: the packages of the base system)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 root=$2
old=$work/old
small=$root/srv/repo/small real=$root/srv/repo/real removal=$root/srv/repo/removal
mkdir -p "$old"

# package FOLDER NAME VERSION [CONTROL LINE]...: builds what lies in WORK/tree, with its DEBIAN folder
package() {
  local to=$1 name=$2 version=$3
  shift 3
  mkdir -p "$work/tree/DEBIAN"
  {
    printf '%s\n' "Package: $name" "Version: $version" 'Architecture: all' \
      'Maintainer: nobody <nobody@example.net>' "Description: $name of the tests"
    [ $# -eq 0 ] || printf '%s\n' "$@"
  } >"$work/tree/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$work/tree" "$to/${name}_$version.deb" >/dev/null
  rm -rf "$work/tree"
}
# postinst: takes the script from stdin
postinst() {
  mkdir -p "$work/tree/DEBIAN"
  { echo '#!/bin/sh'; cat; } >"$work/tree/DEBIAN/postinst"
  chmod 755 "$work/tree/DEBIAN/postinst"
}

# What stands in for PBS: two services that answer on a port each (see pbs-daemon).
pbs() {
  mkdir -p "$work/tree/usr/lib/lab-pbs" "$work/tree/lib/systemd/system"
  install -m 755 "$here/pbs-daemon" "$work/tree/usr/lib/lab-pbs/daemon"
  for unit in proxmox-backup proxmox-backup-proxy; do
    cat >"$work/tree/lib/systemd/system/$unit.service" <<UNIT
[Unit]
Description=stand-in of $unit
[Service]
ExecStart=/usr/lib/lab-pbs/daemon $unit
ExecReload=/bin/true
Restart=on-failure
[Install]
WantedBy=multi-user.target
UNIT
  done
  postinst <<'SCRIPT'
systemctl enable proxmox-backup.service proxmox-backup-proxy.service >/dev/null 2>&1
[ ! -d /run/systemd/system ] || { systemctl daemon-reload; systemctl try-reload-or-restart proxmox-backup.service proxmox-backup-proxy.service; }
exit 0
SCRIPT
  package "$@"
}
pbs "$old" proxmox-backup-server 4.1.0-1
pbs "$small" proxmox-backup-server 4.1.2-1

# A configuration file that the administrator has changed, and a new version of it.
for version in 1.0 2.0; do
  mkdir -p "$work/tree/etc/lab" "$work/tree/DEBIAN"
  echo "of version $version" >"$work/tree/etc/lab/conffile.conf"
  echo /etc/lab/conffile.conf >"$work/tree/DEBIAN/conffiles"
  package "$([ $version = 1.0 ] && echo "$old" || echo "$small")" lab-conffile $version
done

# Takes as long as /etc/lab/slow is there, at most so many seconds as it says.
package "$old" lab-slow 1.0
postinst <<'SCRIPT'
left=$(cat /etc/lab/slow 2>/dev/null || echo 0)
while [ "$left" -gt 0 ] && [ -e /etc/lab/slow ]; do sleep 1; left=$((left - 1)); done
exit 0
SCRIPT
package "$small" lab-slow 2.0

# Fails as long as /etc/lab/fail is there.
package "$old" lab-fails 1.0
postinst <<'SCRIPT'
[ ! -e /etc/lab/fail ] || { echo 'lab-fails: as told by /etc/lab/fail' >&2; exit 1; }
SCRIPT
package "$small" lab-fails 2.0

# A meta package that pulls in a new one with each version, as a kernel's does.
package "$old" lab-kernel 1.0 'Depends: lab-kernel-1'
package "$old" lab-kernel-1 1.0
package "$small" lab-kernel 2.0 'Depends: lab-kernel-2'
package "$small" lab-kernel-2 1.0

package "$old" lab-held 1.0
package "$small" lab-held 2.0

# What replaces PBS as an upgrade of the base would: everything else wants the new one.
package "$old" lab-base 1.0
for user in a b c; do
  package "$old" lab-user-$user 1.0 'Depends: lab-base'
  package "$removal" lab-user-$user 2.0 'Depends: lab-base (>= 2.0)'
done
package "$removal" lab-base 2.0 'Conflicts: proxmox-backup-server' 'Priority: required'

# The agent and systemd themselves, with a higher version: their own scripts do what they do in an upgrade.
for name in qemu-guest-agent systemd systemd-sysv; do
  rm -rf "$work/tree"
  dpkg-deb -R "$work"/debs/${name}_*.deb "$work/tree"
  # Dependencies between them that name the exact version follow.
  version=$(sed -n 's/^Version: //p' "$work/tree/DEBIAN/control")
  sed -i "s/^Version: .*/&+lab1/; s/\bsystemd (= $version)/systemd (= $version+lab1)/" "$work/tree/DEBIAN/control"
  rm -f "$real/${name}"_*.deb
  dpkg-deb -b "$work/tree" "$real/${name}_lab1.deb" >/dev/null
  rm -rf "$work/tree"
done

cp "$old"/*.deb "$root/tmp/"
chroot "$root" sh -c 'dpkg -i /tmp/*.deb && apt-mark hold lab-held && apt-mark auto lab-kernel-1' >/dev/null
rm -f "$root"/tmp/*.deb
echo 'changed by the administrator' >"$root/etc/lab/conffile.conf"
for repository in "$small" "$real" "$removal"; do
  (cd "$repository" && apt-ftparchive packages . >Packages && apt-ftparchive release . >../Release && mv ../Release .)
done
