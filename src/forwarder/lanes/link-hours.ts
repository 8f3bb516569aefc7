import type { LocalTime } from '../../core/local-time.ts';

/** A span of each day, in milliseconds as a clock on the wall shows them; across midnight if it ends before it begins. */
export interface HourSpan {
  readonly fromMs: number;
  /** The first moment after it. */
  readonly toMs: number;
}

// Milliseconds, as clocks on walls have them.
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Reads a span such as `22:00-06:00` or `00:00-24:00`; undefined if it is none, or an empty one. */
export function parseSpan(text: string): HourSpan | undefined {
  const [, from = '', to = ''] =
    /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.exec(text) ?? [];
  if (from === '' || from === to) return undefined;
  return { fromMs: parseTime(from), toMs: parseTime(to) };
}

/** A span as {@link parseSpan} reads it. */
export const spanText = ({ fromMs, toMs }: HourSpan): string => `${timeText(fromMs)}-${timeText(toMs)}`;

/** How long until one of the spans begins, milliseconds; 0 within one of them. */
export const msUntilOpen = (spans: readonly HourSpan[], msOfDay: number): number =>
  Math.min(...spans.map((span) => (leftOf(span, msOfDay) > 0 ? 0 : ofDay(span.fromMs - msOfDay))));

/** How long until none of them goes on, milliseconds; 0 outside of them, infinity if together they are the whole day. */
export function msUntilClosed(spans: readonly HourSpan[], msOfDay: number): number {
  let ms = 0;
  for (;;) {
    const moreMs = Math.max(...spans.map((span) => leftOf(span, ofDay(msOfDay + ms))));
    if (moreMs === 0) return ms;
    ms += moreMs;
    if (ms >= DAY) return Number.POSITIVE_INFINITY;
  }
}

/** How long until the next calendar day, milliseconds, if no hour is skipped or comes twice before. */
export const msUntilMidnight = (msOfDay: number): number => DAY - msOfDay;

/** What the clock will show after so many milliseconds, as a person says it; at most two days ahead. */
export function momentText({ msOfDay }: LocalTime, aheadMs: number): string {
  const atMs = msOfDay + aheadMs;
  if (atMs < DAY) return timeText(atMs);
  return atMs === DAY
    ? 'midnight'
    : `${timeText(ofDay(atMs))} ${atMs < 2 * DAY ? 'tomorrow' : 'in two days'}`;
}

/** How much of the span is left; 0 outside of it. */
function leftOf({ fromMs, toMs }: HourSpan, msOfDay: number): number {
  const lengthMs = ofDay(toMs - fromMs) || DAY;
  return Math.max(0, lengthMs - ofDay(msOfDay - fromMs));
}

const ofDay = (ms: number): number => ((ms % DAY) + DAY) % DAY;

function parseTime(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return (hours * 60 + minutes) * MINUTE;
}

function timeText(ms: number): string {
  const minutes = Math.floor(ms / MINUTE);
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
