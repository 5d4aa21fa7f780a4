#!/bin/bash
# Makes the smallest initrd that finds a virtio disk and goes on there.
#   initrd.sh MODULES FILE
set -euo pipefail
modules=$1 file=$2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
cp /bin/busybox "$tree/bin/busybox"
for name in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk virtio_console; do
  find "$modules" -name "$name.ko*" -exec cp -t "$tree/modules" {} +
done
find "$tree/modules" -name '*.xz' -exec xz -d {} +
cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
# Which module needs which differs between kernels: three rounds bring any order in.
for round in 1 2 3; do
  for module in /modules/*.ko; do /bin/busybox insmod $module 2>/dev/null; done
done
until [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /root
for dir in dev proc sys; do /bin/busybox mount -o move /$dir /root/$dir; done
exec /bin/busybox switch_root /root /sbin/init
INIT
chmod +x "$tree/init"
(cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$file"
