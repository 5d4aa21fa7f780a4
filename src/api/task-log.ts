/** Lines of one answer. */
export const LOG_PAGE = 5000;

/** Every line of a log that a server gives in pages, where lines count from 1 and `start` is the first one wanted. */
export async function allLines(
  page: (start: number, limit: number) => Promise<readonly { readonly n: number; readonly t: string }[]>,
): Promise<string[]> {
  const lines: string[] = [];
  for (let start = 1; ; ) {
    const found = await page(start, LOG_PAGE);
    lines.push(...found.map(({ t }) => t));
    const last = found.at(-1);
    if (!last || found.length < LOG_PAGE || last.n < start) return lines;
    start = last.n + 1;
  }
}
