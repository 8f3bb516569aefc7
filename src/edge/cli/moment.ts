import { parseDuration } from '../config/quantities.ts';

/**
 * The moment that a person means, as milliseconds since 1970 UTC: a date with or without a time, as ISO 8601 writes it
 * (local time unless it says its zone), or how long ago: `2h`, `2h ago`. Undefined if it is none.
 */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const agoMs = parseDuration(text.replace(/ ago$/, ''));
  if (agoMs !== undefined) return agoMs <= nowMs ? nowMs - agoMs : undefined;
  const [, date, time = 'T00:00'] =
    /^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.exec(text) ?? [];
  if (date === undefined || !isInCalendar(date)) return undefined;
  const ms = Date.parse(`${date}${time.replace(' ', 'T')}`);
  return ms >= 0 ? ms : undefined;
}

/** Not so for the 30th of February, which `Date` takes for one of March. */
function isInCalendar(date: string): boolean {
  const ms = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}
