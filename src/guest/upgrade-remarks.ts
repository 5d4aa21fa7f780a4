import { cleaned } from './evidence.js';

/** What an upgrade that ended well has said besides, each as a line for the report. */
interface Remarks {
  /** Of the scripts that make the host bootable: boot loader, initramfs, grub. */
  readonly boot: readonly string[];
  /** The boot loader, or what it loads, could not be written: what is installed may not boot. */
  readonly bootFailed: readonly string[];
  /** Configuration files that were kept as they were; the packages' own lie beside them as `.dpkg-dist`. */
  readonly keptFiles: readonly string[];
}

const OF_BOOT =
  /^(?:WARN(?:ING)?: |W: |cryptsetup: WARNING|\S*grub-\w+: (?:warning|error)|\S*update-initramfs: |mkinitramfs: |dracut\S*: .*(?:warn|error)|(?:Error|ERROR|Warning): .*(?:boot|initramfs|initrd|grub|ESP|EFI|kernel))/i;
/** Said at every run, and of no weight. */
const USUAL =
  /os-prober will not be executed|update-initramfs: (?:Generating|deferring)|Setting locale failed/i;
/** `proxmox-boot-tool` leaves out a partition that is not there, and ends well. */
const SKIPPED = /^WARN: \S*by-uuid\S* does not exist.*skipping/;
const WRITTEN = /^Copying and configuring kernels on /;
const FAILED =
  /^(?:\S*grub-install: error|GRUB failed to install|\S*update-initramfs: failed|mkinitramfs: failure|.*(?:cp|cat|dd|zstd|gzip|cpio): .*(?:\/boot|\/efi|initrd).*No space left|Failed to (?:install|update|copy) .*(?:boot|EFI|ESP|loader)|(?:Error|ERROR): .*(?:ESP|EFI|boot loader|bootloader|\/boot))/i;

/** @param lines of the log of the upgrade. Pure. */
export function remarksIn(lines: readonly string[]): Remarks {
  const all = lines.map((line) => cleaned(line).trim());
  const boot = all.filter((line) => OF_BOOT.test(line) && !USUAL.test(line));
  const skipped = all.filter((line) => SKIPPED.test(line));
  const failed = all.filter((line) => FAILED.test(line));
  const isWritten = all.some((line) => WRITTEN.test(line));
  return {
    boot: [...new Set([...boot, ...failed])],
    bootFailed: [...new Set([...failed, ...(isWritten ? [] : skipped)])],
    keptFiles: keptFiles(all),
  };
}

function keptFiles(all: readonly string[]): string[] {
  let file = '';
  const kept = new Set<string>();
  for (const line of all) {
    file = /^Configuration file '([^']+)'/.exec(line)?.[1] ?? file;
    if (file !== '' && line.startsWith('==> Keeping old config file')) kept.add(file);
  }
  return [...kept];
}
