import { stripVTControlCharacters } from 'node:util';

/**
 * What a terminal or a log viewer acts on instead of showing it: control characters of both sets, marks that turn
 * the direction of writing or are not seen, and line breaks.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * One line without control characters. Names and messages come from servers: an escape sequence or a line
 * break in them must not reach the terminal, and no line of a log may be forged.
 */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(new RegExp(`${UNSEEN.source}+`, 'gu'), ' ')
    .trim();

/** The colours of the texts here, which are all that is let through. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a colour begins with
const OUR_COLOURS = /(\u001b\[(?:1|22|31|32|33|39|90)m)/;

/**
 * Text on its way out: lines, tabs and our colours stay, anything else that is not seen does not. In a JSON document
 * it is escaped instead, so that what a program reads is what the server said.
 */
export function printable(text: string): string {
  if (text.startsWith('{')) return text.replace(hidden(''), escaped);
  return text
    .split(OUR_COLOURS)
    .map((part, index) => (index % 2 ? part : stripVTControlCharacters(part).replace(hidden('+'), ' ')))
    .join('');
}

/** The same for one line of it, which stays one. */
export const printableLine = (text: string): string => printable(text.replace(/[\r\n]+/g, ' '));

const hidden = (times: '' | '+') => new RegExp(`(?:(?![\\n\\t])${UNSEEN.source})${times}`, 'gu');

const escaped = (letter: string) =>
  Array.from(
    { length: letter.length },
    (_, index) => `\\u${letter.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
