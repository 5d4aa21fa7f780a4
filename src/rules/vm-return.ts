/** Of the config of a VM. */
interface VmConfig {
  readonly rebootAllowed: boolean;
  readonly boot: string | null;
  readonly args: string | null;
  readonly devices: Readonly<Record<string, string>>;
}

/** Something in the config of a VM that keeps a reboot inside it from coming back. */
interface VmTrouble {
  readonly summary: string;
  /** It surely does; else it may. */
  readonly blocks: boolean;
  /** Options for `qm set VMID`; null where a person has to look. */
  readonly set: string | null;
}

/**
 * Pure.
 * @param inUse what the running VM was started with: that is what a reboot inside it meets
 * @param haManaged HA starts it again when it has ended
 */
export function vmTroubles(inUse: VmConfig, vmid: number, haManaged: boolean): VmTrouble[] {
  const troubles: VmTrouble[] = [];
  const again = haManaged ? '; HA starts it again' : '';
  if (!inUse.rebootAllowed)
    troubles.push({
      summary: `VM ${vmid} ends at a reboot instead of coming back: its option reboot is 0${again}`,
      blocks: !haManaged,
      set: '--reboot 1',
    });
  if (/(?:^|\s)-no-reboot\b|-action\s+\S*reboot=shutdown/.test(inUse.args ?? ''))
    troubles.push({
      summary: `VM ${vmid} ends at a reboot instead of coming back: its args say so${again}`,
      blocks: !haManaged,
      set: null,
    });
  return [...troubles, ...bootOrder(inUse, vmid)];
}

const isDisk = (name: string, value: string | undefined) =>
  /^(?:ide|sata|scsi|virtio)\d+$/.test(name) && value !== undefined && !/(?:^|,)media=cdrom\b/.test(value);

/** A VM without a boot order boots from its first disk. @see `boot: order=scsi0;ide2;net0`, older: `boot: cdn` */
function bootOrder({ boot, devices }: VmConfig, vmid: number): VmTrouble[] {
  const order = /(?:^|,)order=([^,]*)/.exec(boot ?? '')?.[1];
  if (order === undefined) return [];
  const names = order.split(';').filter((name) => name !== '');
  const firstDisk = names.findIndex((name) => isDisk(name, devices[name]));
  const disks = Object.keys(devices).filter((name) => isDisk(name, devices[name]));
  if (firstDisk < 0)
    return [
      {
        summary: `the boot order of VM ${vmid} (${names.join(', ') || 'empty'}) names no disk that it has`,
        // Of a VM whose disks are not seen nothing is known.
        blocks: false,
        set: disks[0] === undefined ? null : `--boot order=${disks[0]}`,
      },
    ];
  const before = names.slice(0, firstDisk).filter((name) => {
    const value = devices[name];
    if (name.startsWith('net')) return value !== undefined;
    return value !== undefined && !value.startsWith('none');
  });
  if (before.length === 0) return [];
  return [
    {
      summary: `VM ${vmid} tries ${before.join(', ')} before its disk ${names[firstDisk]}: a reboot may start something else`,
      blocks: false,
      set: `--boot 'order=${[names[firstDisk], ...names.filter((_, index) => index !== firstDisk)].join(';')}'`,
    },
  ];
}
