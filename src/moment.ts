// How a moment is written, wherever it is. Documents and journals hold ISO 8601 in UTC; what people read is made of that.

export const isoFromMs = (ms: number): string => new Date(ms).toISOString();
export const isoFromSeconds = (seconds: number): string => isoFromMs(seconds * 1000);

/** Where this machine stands: "2026-11-23 03:00:12 +01:00". */
export const localMoment = (iso: string): string =>
  written(iso, (moment) => {
    const offset = -moment.getTimezoneOffset();
    const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
    const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
    return `${isoFromMs(moment.getTime() + offset * 60_000).slice(0, 19)} ${zone}`.replace('T', ' ');
  });

/** For readers anywhere: "2026-11-23 02:00 UTC". */
export const utcMoment = (iso: string): string =>
  written(iso, (moment) => `${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`);

/** The time of day in UTC: "02:04:09". */
export const utcClock = (iso: string): string => written(iso, (moment) => moment.toISOString().slice(11, 19));

/** The time of day where this machine stands: "03:04:09". */
export const localClock = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);

/** As a host writes it that is so many seconds ahead of UTC: "2026-11-23 03:00:12". */
export const momentAt = (epochSeconds: number, utcOffset: number): string =>
  isoFromSeconds(Math.floor(epochSeconds) + utcOffset)
    .slice(0, 19)
    .replace('T', ' ');

/** The day in UTC: "2026-11-23". */
export const utcDay = (moment: Date): string => moment.toISOString().slice(0, 10);

/** What cannot be read as a moment stays as it came, so that a report shows it. */
function written(iso: string, write: (moment: Date) => string): string {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime()) ? iso : write(moment);
}
