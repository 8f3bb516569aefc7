import type { ReceivedRecord } from '../../core/record.ts';
import { deadLetter } from '../dead-letter.ts';

/** Why there is one dead letter for several records or frames. */
type SummaryReason = 'records-dropped' | 'dead-letters-left-out';

const encoder = new TextEncoder();

/** Records that were dropped because there was no room for them. Times by the monotonic clock. */
export interface Dropped {
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Dead letters that were not kept, by their reasons. Times by the monotonic clock. */
export interface LeftOut {
  readonly counts: Readonly<Record<string, number>>;
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * One dead letter for all of them, with the time of the first: there was no room for their bytes, so its value is their
 * count and the time from the first to the last, as JSON.
 * @param source the name of the port or bus
 */
export const droppedLetter = (source: string, { count, ...times }: Dropped): ReceivedRecord =>
  summary(source, 'records-dropped', { dropped: count }, times);

/** The same for dead letters that were not kept, with how many of which reason. */
export const leftOutLetter = (source: string, { counts, ...times }: LeftOut): ReceivedRecord =>
  summary(source, 'dead-letters-left-out', { leftOut: counts }, times);

function summary(
  source: string,
  reason: SummaryReason,
  counts: object,
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
): ReceivedRecord {
  const overSeconds = Math.round((lastMs - firstMs) / 1000);
  return deadLetter(source, encoder.encode(JSON.stringify({ ...counts, overSeconds })), firstMs, reason);
}
