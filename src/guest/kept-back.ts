import { readRemovals } from './apt.js';
import { type Guest, runReading, sh } from './exec.js';

const MOST = 10;

/**
 * Why apt keeps packages back, by name: what a simulation says that installs each of them alone. Nothing is installed.
 * @throws Fault `agent.*`
 */
export async function whyKeptBack(guest: Guest, names: readonly string[]): Promise<Map<string, string>> {
  const script = `export LC_ALL=C.UTF-8
for name in ${names.slice(0, MOST).filter(isName).join(' ')}; do echo "@@$name"; apt-get -s -o APT::Get::Purge=false install "$name" 2>&1; done; exit 0`;
  return readWhyKeptBack((await runReading(guest, sh(script), 60_000)).stdout);
}

/** It goes into a command line. */
const isName = (name: string) => /^[a-z0-9][a-z0-9+.:-]*$/.test(name);

/** Pure. */
function readWhyKeptBack(output: string): Map<string, string> {
  const found = output.split(/^@@/m).slice(1);
  return new Map(
    found.map((part) => {
      const at = part.indexOf('\n');
      return [part.slice(0, at), reasonIn(part.slice(at + 1))];
    }),
  );
}

function reasonIn(text: string): string {
  // ` proxmox-backup-server : Depends: libx (>= 2) but 1 is to be installed`
  const unmet = /^ \S+ : (?:Pre)?(Depends|Breaks|Conflicts|PreDepends): (.+)$/m.exec(text);
  if (unmet) return `${unmet[1]}: ${unmet[2]}`;
  const removed = readRemovals(text).map(({ name }) => name);
  if (removed.length > 0) return `it would remove ${removed.join(', ')}`;
  if (/^Inst /m.test(text)) return 'it is phased, or another package needs the older one';
  return /^(?:E: |Error: )(.+)$/m.exec(text)?.[1] ?? 'apt does not say why';
}
