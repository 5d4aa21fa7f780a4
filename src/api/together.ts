/**
 * Questions that are asked side by side share one answer. Only for what may be a moment old: whoever reads
 * back what was written has to ask for itself.
 */
export function together<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | null = null;
  return () => {
    asked ??= ask().finally(() => {
      asked = null;
    });
    return asked;
  };
}
