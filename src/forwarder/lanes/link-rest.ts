import type { LocalTime } from '../../core/local-time.ts';
import type { Rest } from '../progress/link-status.ts';
import { type HourSpan, momentText, msUntilMidnight, msUntilOpen } from './link-hours.ts';

/** All of the day. */
export const allDay: readonly HourSpan[] = [{ fromMs: 0, toMs: 0 }];

/** What bulk may do by the configuration. */
export interface LinkRules {
  readonly bytesPerDay: number | null;
  /** When; null for always. */
  readonly hours: readonly HourSpan[] | null;
}

/**
 * Whether bulk has to wait, why, and until when; null if it may send. `isSpent`: what is left of the day's bytes is not worth
 * beginning anything. Without a local time, since the clock is not set, no hours are known and no new day begins.
 */
export function restOf({ hours }: LinkRules, isSpent: boolean, local: LocalTime | null): Rest | null {
  if (local === null) {
    if (isSpent) return { reason: 'budget', until: null, secondsLeft: null };
    return hours === null ? null : { reason: 'clock', until: null, secondsLeft: null };
  }
  const spans = hours ?? allDay;
  const ms = isSpent
    ? msUntilMidnight(local.msOfDay) + msUntilOpen(spans, 0)
    : msUntilOpen(spans, local.msOfDay);
  if (ms === 0) return null;
  return { reason: isSpent ? 'budget' : 'hours', until: momentText(local, ms), secondsLeft: ms / 1000 };
}
