#!/bin/bash
# Builds the guest's images into an empty folder, from Debian's packages only.
#   build.sh FOLDER
# It leaves there: root.img, tank.img, vault.img, and for each of two kernels vmlinuz-RELEASE and
# initrd-RELEASE, named in the file `kernels`, the older first.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

step() { echo "== $1 ($SECONDS s)"; }

step 'base system of the release'
# The mirrors are those that this machine is set up with.
targets() { apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(LABEL)' 'Created-By: Packages'; }
read -r site release _ < <(targets | grep -E ' main Debian$' | grep -vE '^\S+ \S+-' || true)
[ -n "${site:-}" ] || { echo 'no Debian release among the package sources of this machine: apt-get update' >&2; exit 1; }
debootstrap --variant=minbase \
  --include=systemd,systemd-sysv,dbus,udev,kmod,qemu-guest-agent,iproute2,procps,apt-utils \
  "$release" "$root" "$site" >"$out/debootstrap.log" 2>&1 || { tail "$out/debootstrap.log" >&2; exit 1; }

step 'upgrades of the day'
: >"$root/etc/apt/sources.list"
targets | sort -u | while read -r url suite component _; do
  case $suite in "$release"*) echo "deb $url $suite $component" >>"$root/etc/apt/sources.list" ;; esac
done
mkdir -p "$root/srv/repo/"{small,real,removal} "$work/debs"
mv "$root"/var/cache/apt/archives/*.deb "$work/debs/"
chroot "$root" apt-get -q update >"$out/apt.log" 2>&1
chroot "$root" apt-get -q -y -d dist-upgrade >>"$out/apt.log" 2>&1
find "$root/var/cache/apt/archives" -name '*.deb' -exec mv -t "$root/srv/repo/real/" {} +
rm -f "$root"/var/lib/apt/lists/*_* "$root"/etc/resolv.conf

step 'packages made here'
"$here/packages.sh" "$work" "$root"

step 'what makes it this guest'
"$here/configure.sh" "$root"

step 'kernels'
mapfile -t kernels < <(apt-cache pkgnames linux-image- | grep -E -- '^linux-image-[0-9].*[0-9]-cloud-amd64$' | sort -V | tail -2)
[ ${#kernels[@]} -gt 0 ] || { echo 'no cloud kernel among the packages: apt-get update' >&2; exit 1; }
: >"$out/kernels"
for package in "${kernels[@]}"; do
  mkdir -p "$work/$package"
  (cd "$work" && apt-get -q download "$package" >>"$out/apt.log" 2>&1 && dpkg-deb -x "$package"_*.deb "$work/$package")
  name=${package#linux-image-}
  modules="$work/$package/lib/modules/$name"
  # Debian 13 has them below usr.
  if [ ! -d "$modules" ]; then modules="$work/$package/usr/lib/modules/$name"; fi
  "$here/initrd.sh" "$modules" "$out/initrd-$name"
  cp "$work/$package/boot/vmlinuz-$name" "$out/"
  echo "$name" >>"$out/kernels"
done

step 'images'
truncate -s 4G "$out/root.img"
mke2fs -q -t ext4 -L root -d "$root" "$out/root.img"
for store in tank vault; do
  mkdir -p "$work/$store/.chunks"
  truncate -s 64M "$out/$store.img"
  mke2fs -q -t ext4 -L "$store" -d "$work/$store" "$out/$store.img"
done
step 'done'
