/** Lines of one answer. */
export const LOG_PAGE = 5000;

/**
 * Hands on every line of a log that a server gives in pages, where lines count from 1 and `start` is the
 * first one wanted. A page at a time: the log of a task can have millions of lines.
 */
export async function eachLine(
  page: (start: number, limit: number) => Promise<readonly { readonly n: number; readonly t: string }[]>,
  tell: (line: string) => void,
): Promise<void> {
  for (let start = 1; ; ) {
    const found = await page(start, LOG_PAGE);
    for (const { t } of found) tell(t);
    const last = found.at(-1);
    if (!last || found.length < LOG_PAGE || last.n < start) return;
    start = last.n + 1;
  }
}
