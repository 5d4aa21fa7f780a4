/** As many lines as a report shows. */
const MOST = 12;
/** Lines before an error that a script or hook wrote: they say why. */
const BEFORE = 3;

/** Where apt, dpkg and systemd begin to say what failed. apt 3 writes `Error:` where apt 2 wrote `E:`. */
const FAILS =
  /^(?:Err:\d*|E: |Error: |dpkg: error|dpkg: unrecoverable|pbs-ctl-exit |Failed to |TASK ERROR|systemctl .* failed|W: GPG error|Warning: GPG error|W: .*(?:could not|failed)|Warning: .*(?:[Cc]ould not|[Ff]ailed))/;
/** Written by a script or hook, and so explained by the lines before it. */
const OF_A_SCRIPT = /^(?:dpkg: error processing|(?:E|Error): Problem executing scripts)/;
/** What apt and dpkg say of their own progress. */
const PROGRESS =
  /^(?:Reading|Building|Calculating|Setting up|Unpacking|Preparing|Selecting|Processing triggers|Removing|Get:|Hit:|Ign:|Fetched|Need to get|After this operation|\(Reading|The following|\d+ upgraded|Errors were encountered|pbs-ctl)/;

/**
 * The lines that name what failed and why, in their order and at most twelve; without any, the last ones. Pure.
 * @param lines of a log of apt, of a task or of the journal of a unit
 */
export function evidenceIn(lines: readonly string[]): string[] {
  const all = lines.map(cleaned).filter((line) => line.trim() !== '');
  const named = new Set<number>();
  all.forEach((line, at) => {
    if (!FAILS.test(line)) return;
    if (OF_A_SCRIPT.test(line)) for (const before of reasonsBefore(all, at)) named.add(before);
    named.add(at);
    // What belongs to it is indented below it.
    for (let next = at + 1; next < all.length && /^\s/.test(all[next] ?? ''); next += 1) named.add(next);
  });
  const chosen = [...named].sort((one, other) => one - other).map((at) => all[at] ?? '');
  const once = [...new Set(chosen)];
  return once.length > 0 ? once.slice(0, MOST) : all.slice(-MOST);
}

function reasonsBefore(all: readonly string[], at: number): number[] {
  const found: number[] = [];
  for (let before = at - 1; before >= Math.max(0, at - BEFORE); before -= 1) {
    const line = all[before] ?? '';
    if (PROGRESS.test(line) || FAILS.test(line)) break;
    found.push(before);
  }
  return found;
}

/** A line without what a log writes before it, without control characters, and without a password in an address. */
export const cleaned = (line: string): string =>
  line
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .replace(/\t/g, ' ')
    // Of a task of PBS, which stamps the first line of an entry; of the journal, by host and process.
    .replace(/^\d{4}-\d\d-\d\dT\S+: /, '')
    .replace(/^(?:\w{3} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT\S+) \S+ [^\s:[\]]+(?:\[\d+\])?: /, '')
    .replace(/^(?:warning|error): (?=E: |W: |Err:|Error: |Warning: )/i, '')
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, '$1***@')
    .trimEnd();
