import type { Busy } from '../../src/schedule/plan.js';

export const policy = {
  maintenanceDuration: 1_800_000,
  backupMargin: 900_000,
  maintenanceWindow: null,
  blackouts: [],
};
export const HOUR = 3600;
export const span = { from: 1_764_000_000, to: 1_764_000_000 + 72 * HOUR };
/** A job of PBS; seconds from the beginning of the span. */
export const job = (from: number, length: number): Busy => ({
  from: span.from + from,
  to: span.from + from + length,
  source: 'pbs',
  label: 'verify v1',
  estimated: true,
});
