import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable } from './packages.js';

/** One line of a machine's journal. */
interface JournalLine {
  /** Epoch seconds. */
  readonly at: number;
  readonly unit: string;
  readonly text: string;
  /** The program that wrote it, where it is not the unit's own. */
  readonly identifier: string;
}

/** @param identifier the program that says it, such as systemd about a unit */
export function writeJournal(
  root: string,
  { bootId, unit, identifier = '' }: { bootId: string; unit: string; identifier?: string },
  text: string,
): void {
  const line = [bootId, Math.floor(Date.now() / 1000), unit, text.replace(/[\t\n]/g, ' '), identifier];
  appendFileSync(join(root, '.machine/journal'), `${line.join('\t')}\n`);
}

/** Every line, or those of one unit, oldest first, as `journalctl` prints them. */
export function journalLines(
  root: string,
  { unit, since = 0, until = Infinity }: { unit?: string; since?: number; until?: number } = {},
): string[] {
  const file = join(root, '.machine/hostname');
  const host = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'lab';
  return readTable(join(root, '.machine/journal'))
    .map(
      ([, at, name = '', text = '', identifier = '']): JournalLine => ({
        at: Number(at),
        unit: name,
        text,
        identifier,
      }),
    )
    .filter((line) => (unit ?? line.unit) === line.unit && line.at >= since && line.at <= until)
    .map(({ at, unit: name, text, identifier }) => {
      const [, month, day, clock] =
        /^\w+, (\d+) (\w+) \d+ ([\d:]+)/.exec(new Date(at * 1000).toUTCString()) ?? [];
      return `${day} ${month} ${clock} ${host} ${identifier || name.replace(/\.service$/, '')}: ${text}`;
    });
}
