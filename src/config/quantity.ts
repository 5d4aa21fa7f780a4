const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/**
 * "90s", "20m", "2h", "1d", "500ms", or a number of seconds (also as text) in milliseconds.
 * Undefined for anything else.
 */
export function parseDuration(text: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(String(text).trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * MS[(match[2] ?? 's') as keyof typeof MS]);
}

const [SHORTEST_TTL_MS, LONGEST_TTL_MS] = [5000, 30 * MS.d];
/** How long a lock may be taken for without renewal: long enough to be renewed, and not for ever. */
export const isLockTtl = (ms: number): boolean => ms >= SHORTEST_TTL_MS && ms <= LONGEST_TTL_MS;

/** "2GiB", "512MiB" or a number of bytes, in bytes. Undefined for anything else. */
export function parseSize(text: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?$/.exec(String(text).trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * BYTES[(match[2] ?? 'B') as keyof typeof BYTES]);
}

/** Milliseconds for people: "1h 05m", "3m 20s", "42s", "0.4s". */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 10_000 && ms % 1000 !== 0) return `${(ms / 1000).toFixed(1)}s`;
  if (seconds < 60) return `${seconds}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours}h ${two(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Bytes for people: "1.5 GiB". */
export function formatSize(bytes: number): string {
  const units = Object.entries(BYTES).reverse();
  const [unit, size] = units.find(([, value]) => bytes >= value) ?? ['B', 1];
  const value = bytes / size;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${unit}`;
}
