/** A command line of `pbs-ctl` in a document. */
export interface DocumentedCommand {
  readonly line: number;
  readonly text: string;
  readonly words: readonly string[];
}

const STARTS = /(?:^|[\s`(|&;"])pbs-ctl(?= +[a-z-])/g;

/** Every `pbs-ctl …` in code of a Markdown document: fences, indented blocks, code spans. Prose is no code. */
export function commandsIn(markdown: string): DocumentedCommand[] {
  let fenced = false;
  return markdown.split('\n').flatMap((text, index) => {
    if (/^\s*```/.test(text)) {
      fenced = !fenced;
      return [];
    }
    const isCode = fenced || /^ {4}/.test(text);
    const pieces = isCode ? [text] : [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
    return pieces.flatMap((piece) => linesOf(piece).map((line) => ({ line: index + 1, ...line })));
  });
}

function linesOf(code: string): Array<{ text: string; words: string[] }> {
  // A Slack message, a unit, a label: the name without a command behind it is not a command line.
  return [...code.matchAll(STARTS)].map(({ index, 0: found }) => {
    const text = code.slice(index + found.length);
    return { text: `pbs-ctl${text}`, words: wordsOf(text) };
  });
}

/** As a shell splits them, up to the end of the command. Brackets of optional parts are left out. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  const token = /\s*(?:([|;&>)]|\d?>|#|`|$)|((?:'[^']*'|"[^"]*"|[^\s'"|;&>)`])+))/gy;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, end, word] = match;
    if (end !== undefined || word === undefined) break;
    const plain = word.replace(/['"]/g, '').replace(/^\[|\]$/g, '');
    if (plain !== '' && plain !== '\\') words.push(plain);
  }
  return words;
}
