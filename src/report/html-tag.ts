import { oneLine } from './layout.js';

/** HTML that is safe to write out. Only {@link html} makes it, so nothing gets in unescaped by forgetting. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

/**
 * Template tag: what is put in is escaped, for text and for quoted attributes alike, unless it is
 * {@link Markup} already. Words of servers also lose what redraws a line, such as control characters and
 * marks that turn the direction of writing.
 */
export function html(fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    fixed.map((text, index) => (index === 0 ? '' : written(parts[index - 1])) + text).join(''),
  );
}

export const NOTHING = html``;

function written(part: Part | undefined): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('\n');
  return oneLine(String(part)).replace(/[&<>"']/g, (letter) => ENTITY[letter] ?? letter);
}

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
