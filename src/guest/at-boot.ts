import { lines } from './exec.js';
import { readFstab } from './mounts.js';

/** What of a guest's own set-up can keep it from coming back after a reboot. Facts only. */
export interface AtBoot {
  /** Volumes of /etc/crypttab that ask for a passphrase. */
  readonly passphrases: readonly string[];
  /** Mount points of fstab without `nofail`: where one is missing, the boot stops in emergency mode. */
  readonly mustMount: readonly string[];
  /** Interfaces that the network configuration names and that are not there. */
  readonly missingInterfaces: readonly string[];
  /** Those that are. */
  readonly interfaces: readonly string[];
}

/** The parts of a script that look at it. */
export const AT_BOOT_PARTS = `network() {
  cat /etc/network/interfaces /etc/network/interfaces.d/* 2>/dev/null || true
}
links() {
  ls /sys/class/net
  ip link show 2>/dev/null || true
}
part crypttab cat /etc/crypttab
part network network
part links links`;

export function readAtBoot(text: (part: string) => string): AtBoot {
  const interfaces = linksIn(text('links'));
  const missing = wantedLinks(text('network')).filter((name) => !interfaces.includes(name));
  return {
    passphrases: passphrasesIn(text('crypttab')),
    mustMount: readFstab(text('fstab'))
      .filter(({ target, mayBeMissing }) => !mayBeMissing && !WITH_THE_SYSTEM.test(target))
      .map(({ target }) => target),
    // Where no interface was seen, nothing is known of them.
    missingInterfaces: interfaces.length === 0 ? [] : missing,
    interfaces,
  };
}

/** What the boot itself rests on, and what the kernel brings: their absence is another matter. */
const WITH_THE_SYSTEM =
  /^\/(?:$|boot(?:$|\/)|efi(?:$|\/)|proc(?:$|\/)|sys(?:$|\/)|dev(?:$|\/)|run(?:$|\/)|tmp$|var$|usr$|home$)/;

/** No one is asked for what has its key in a file. @see crypttab(5) */
const HAS_A_KEY =
  /(?:^|,)(?:noauto|keyscript=|tpm2-device=|fido2-device=|pkcs11-uri=|swap(?:,|$)|tmp(?:=|,|$))/;

function passphrasesIn(crypttab: string): string[] {
  return lines(crypttab).flatMap((line) => {
    const [name = '', device, key = 'none', options = ''] = line.trim().split(/\s+/);
    if (name.startsWith('#') || device === undefined) return [];
    return (key === 'none' || key === '-') && !HAS_A_KEY.test(options) ? [name] : [];
  });
}

/** Names and other names of the links: `2: ens18: <BROADCAST…`, `altname enp0s18`, or a name alone. */
function linksIn(text: string): string[] {
  const names = lines(text).flatMap((line) => {
    const [, numbered] = /^\d+: ([^:@\s]+)/.exec(line) ?? [];
    const [, other] = /^\s+altname (\S+)/.exec(line) ?? [];
    return numbered ?? other ?? (/^[^\s:]+$/.test(line) ? line : []);
  });
  return [...new Set(names)];
}

/** Links that have to be there already: no bridge, bond, VLAN or alias, which the configuration makes. */
function wantedLinks(interfaces: string): string[] {
  const started = new Set<string>();
  const members = new Set<string>();
  const made = new Set<string>(['lo']);
  let current = '';
  for (const line of lines(interfaces)) {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === 'auto' || word === 'allow-hotplug') for (const name of rest) started.add(name);
    else if (word === 'iface') current = rest[0] ?? '';
    else if (/^(?:bridge|bond|vlan|ovs|vxlan|link)[-_]|^slaves$/.test(word)) {
      made.add(current);
      if (/^(?:bridge[-_]ports|bond[-_]slaves|slaves)$/.test(word))
        for (const name of rest) members.add(name);
    }
  }
  return [...new Set([...started, ...members])].filter(
    (name) => !made.has(name) && name !== 'none' && /^[a-z][\w-]*$/i.test(name),
  );
}
