/** How long a job takes: from its own past where there is one. Seconds. */
export interface Length {
  readonly median: number;
  readonly p90: number;
  /** How many runs it was taken from; 0 = a guess. */
  readonly runs: number;
}

/** Of finished runs in seconds; `guess` where there is none. Pure. */
export function lengthOf(finished: readonly number[], guess: number): Length {
  if (finished.length === 0) return { median: guess, p90: guess, runs: 0 };
  const sorted = [...finished].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? guess;
  return { median: at(0.5), p90: at(0.9), runs: sorted.length };
}
