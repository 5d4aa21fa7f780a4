/** Why apt or dpkg failed, as far as its words tell. */
export interface Cause {
  readonly kind: CauseKind;
  /** What it is about: a server, a package, a file, a process; '' where the words do not say. */
  readonly what: string;
}

export type CauseKind =
  | 'no-subscription'
  | 'unauthorized'
  | 'unresolved'
  | 'unreachable'
  | 'certificate'
  | 'unsigned'
  | 'expired'
  | 'not-yet-valid'
  | 'changed-release'
  | 'mid-sync'
  | 'not-found'
  | 'server'
  | 'lists-locked'
  | 'dpkg-locked'
  | 'full'
  | 'hook'
  | 'interrupted'
  | 'unmet'
  | 'script';

const server = (text: string): string => /[a-z+]+:\/\/(?:[^\s/@]+@)?([^\s/]+)/.exec(text)?.[1] ?? '';

type Reading = readonly [
  kind: CauseKind,
  words: RegExp,
  what?: (match: RegExpExecArray, entry: string) => string,
];

/** In this order, which is that of their weight: what comes first explains what comes after. */
const READINGS: readonly Reading[] = [
  [
    'lists-locked',
    /Could not get lock (\/var\/(?:lib\/apt\/lists|cache\/apt)\S*lock)\.?(?: - open.*?)?(?: It is held by process (\d+ \([^)]*\)))?/,
    ([, , holder = '']) => holder,
  ],
  ['lists-locked', /Unable to lock directory \/var\/(?:lib\/apt\/lists|cache\/apt\/archives)/],
  [
    'dpkg-locked',
    /(?:Could not get lock (\/var\/lib\/dpkg\/\S*lock\S*?)\.? .*?held by process (\d+ \([^)]*\))|Unable to acquire the dpkg frontend lock|Unable to lock the administration directory|dpkg frontend lock was locked by another process with pid (\d+))/,
    ([, , holder, pid]) => holder ?? pid ?? '',
  ],
  [
    'full',
    /No space left on device/,
    (_, entry) => /(?:to|for|in|file) '(?:\.\/|\/)?([^']+)'/.exec(entry)?.[1]?.replace(/^(?!\/)/, '/') ?? '',
  ],
  ['full', /You don't have enough free space in (\S+?)\.?(?:\s|$)/, ([, folder = '']) => folder],
  [
    'no-subscription',
    /enterprise\.proxmox\.com[\s\S]*\b401\b|\b401\b[\s\S]*enterprise\.proxmox\.com/,
    (_, entry) => server(entry),
  ],
  ['unauthorized', /\b401\s+Unauthorized|\b407\s+Proxy Authentication/, (_, entry) => server(entry)],
  [
    'unresolved',
    /(?:Temporary failure resolving|Could not resolve|Something wicked happened resolving) '([^']+)'/,
    ([, name = '']) => name,
  ],
  [
    'not-yet-valid',
    /Release file for (\S+) is not valid yet(?: \(invalid for another ([^)]+)\))?/,
    ([, url = '', rest = '']) => `${server(url)}${rest ? `, by ${rest.replace(/\.$/, '')}` : ''}`,
  ],
  [
    'expired',
    /Release file for (\S+) is expired(?: \(invalid since ([^)]+)\))?/,
    ([, url = '', since = '']) => `${server(url)}${since ? `, since ${since.replace(/\.$/, '')}` : ''}`,
  ],
  ['unsigned', /NO_PUBKEY (\w+)/, ([, key = '']) => `key ${key}`],
  ['unsigned', /(?:EXPKEYSIG|BADSIG|REVKEYSIG|Missing key) (\w+)/, ([, key = '']) => `key ${key}`],
  [
    'unsigned',
    /is (?:not|no longer) signed|signatures (?:couldn't be verified|were invalid)|Sub-process \S*sqv returned an error|packages cannot be authenticated/,
    (_, entry) => server(entry),
  ],
  ['changed-release', /Repository '(\S+)[^']*' changed its '\w+' value/, ([, url = '']) => server(url)],
  [
    'mid-sync',
    /File has unexpected size|Mirror sync in progress|Hash Sum mismatch/,
    (_, entry) => server(entry),
  ],
  [
    'certificate',
    /Certificate verification failed|certificate verify failed|SSL connection failed|TLS handshake/i,
    (_, entry) => server(entry),
  ],
  [
    'not-found',
    /\b404\s+Not Found|does not have a Release file|does no longer have a Release file|File not found|Failed to stat - stat \(2:/,
    (_, entry) => server(entry),
  ],
  [
    'unreachable',
    /(?:Could not connect to|Cannot initiate the connection to|Unable to connect to) ([^\s(]+)/,
    ([, name = '']) => name.replace(/:$/, ''),
  ],
  [
    'unreachable',
    /Connection (?:refused|timed out|failed)|Network is unreachable|No route to host/,
    (_, entry) => server(entry),
  ],
  [
    'server',
    /\b(403|5\d\d)\s+[A-Z]\w+/,
    ([, code = ''], entry) => [server(entry), code].filter(Boolean).join(', '),
  ],
  ['hook', /Problem executing scripts (\S+) '([^']*)/, ([, event = '']) => event],
  ['interrupted', /dpkg was interrupted/],
  [
    'script',
    /dpkg: error processing (?:package|archive) (\S+)/,
    ([, name = '']) => name.replace(/^.*\/(?:\d+-)?/, '').replace(/_.*/, ''),
  ],
  ['unmet', /unmet dependencies|held broken packages|Unable to correct problems|Broken packages/],
];

/** What the words of apt and dpkg say of why it failed, the weightiest first. Pure. @param lines as evidence has them */
export function causesIn(lines: readonly string[]): Cause[] {
  const entries = entriesOf(lines);
  const found = READINGS.flatMap(([kind, words, what]) =>
    entries.flatMap((entry) => {
      const match = words.exec(entry);
      return match ? [{ kind, what: what?.(match, entry) ?? '' }] : [];
    }),
  );
  // The same cause with and without what it is about is one.
  return found.filter(
    (each, at) =>
      found.findIndex((other) => other.kind === each.kind && other.what === each.what) === at &&
      !(each.what === '' && found.some((other) => other.kind === each.kind && other.what !== '')),
  );
}

/** A line with those that are indented below it. */
function entriesOf(lines: readonly string[]): string[] {
  const entries: string[] = [];
  for (const line of lines) {
    if (/^\s/.test(line) && entries.length > 0) entries.push(`${entries.pop()}\n${line}`);
    else entries.push(line);
  }
  return entries;
}
