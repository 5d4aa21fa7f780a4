/** Shell function of a script that looks: runs a command and marks its output and exit code for {@link readParts}. */
export const PART = 'part() { printf \'\\n@@%s\\n\' "$1"; shift; "$@" 2>&1; printf \'\\n@@=%s\\n\' "$?"; }';

/** What each part printed, and how it ended; the part `end` shows that nothing is missing. */
export function readParts(output: string): Map<string, { text: string; code: number }> {
  const parts = new Map<string, { text: string; code: number }>();
  const markers = [...output.matchAll(/^@@([a-z]+)\n([\s\S]*?)(?:\n@@=(\d+)$|(?![\s\S]))/gm)];
  for (const [, name = '', text = '', code] of markers) {
    parts.set(name, { text: text.replace(/\n$/, ''), code: code === undefined ? 0 : Number(code) });
  }
  return parts;
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** The first word of each line: the units in a list of systemctl. */
export const firstWords = (text: string): string[] =>
  lines(text).map((line) => line.trim().split(/\s+/)[0] ?? line);
