import { stripVTControlCharacters, styleText } from 'node:util';

/** How a text is drawn: with colour or without, and how wide. */
export interface Style {
  readonly color: boolean;
  readonly columns: number;
}

export type Tone = 'good' | 'bad' | 'careful' | 'quiet' | 'strong';
export type Paint = (tone: Tone, text: string) => string;

const FORMAT = { good: 'green', bad: 'red', careful: 'yellow', quiet: 'gray', strong: 'bold' } as const;

/** Colours, or leaves alone. Whether colour is wanted was decided before, so the stream is not asked again. */
export function painter(color: boolean): Paint {
  return (tone, text) => (color ? styleText(FORMAT[tone], text, { validateStream: false }) : text);
}

/**
 * One line that does nothing to a terminal. Names and words come from servers: an escape sequence or a
 * line break in them must not draw anything of its own.
 */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

/** Breaks prose between words. A word that is longer than the width stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(/ +/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const COMMAND =
  /^(?:pveum|pvesh|pvecm|qm|pct|proxmox-backup-(?:manager|debug)|pbs-ctl|systemctl|journalctl|apt|for \w+ in) /;

/** What to do next: prose is broken, a command, which has a line to itself, never, so that it can be copied. */
export const hintLines = (hint: string, width: number): string[] =>
  hint.split('\n').flatMap((line) => (COMMAND.test(line) ? [oneLine(line)] : wrap(line, width)));

/** Cuts to a width, the cut being visible. */
export function clip(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

const INDENT = '  ';
const LABEL = 12;

/** The width that is left for text behind a label. Very wide terminals are not used up: long lines read badly. */
export const textWidth = ({ columns }: Style): number =>
  Math.max(24, Math.min(columns, 110) - INDENT.length - LABEL - 1);

/** Lines behind a label; the label stands at the first. */
export function labelled(
  paint: Paint,
  label: string,
  lines: readonly string[],
  tone: Tone = 'quiet',
): string[] {
  return lines.map((line, index) =>
    `${INDENT}${index === 0 ? paint(tone, label.padEnd(LABEL)) : ' '.repeat(LABEL)} ${line}`.trimEnd(),
  );
}
