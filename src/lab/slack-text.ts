/** Block Kit as plain lines, for a terminal. */
export function slackText(message: unknown): string {
  const { blocks = [], text = '' } = message as { blocks?: unknown[]; text?: string };
  const lines = blocks.flatMap(textsOf);
  return (lines.length > 0 ? lines : [text])
    .map((line) => `  | ${line.replaceAll('\n', '\n  | ')}`)
    .join('\n');
}

function textsOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(textsOf);
  if (typeof node !== 'object' || node === null) return [];
  const { text, fields, elements } = node as { text?: unknown; fields?: unknown; elements?: unknown };
  return [...(typeof text === 'string' ? [text] : textsOf(text)), ...textsOf(fields), ...textsOf(elements)];
}
