import type { ReceivedRecord } from '../../core/record.ts';
import { readingsTopicName } from '../../core/topic-name.ts';
import { deadLetter } from '../dead-letter.ts';
import type { DecodeProblem } from '../decode/decoder.ts';
import type { FrameProblem } from './frame.ts';

/** Why a frame is a dead letter. */
export type DeadLetterReason = FrameProblem | DecodeProblem;

/** Why there is one dead letter for several frames. */
type SummaryReason = 'records-dropped' | 'dead-letters-left-out';

const encoder = new TextEncoder();

/**
 * The record of a good frame: keyed by the name of the port.
 * @param receivedMs when its first byte was received, by the monotonic clock
 */
export function readingRecord(port: string, value: Uint8Array, receivedMs: number): ReceivedRecord {
  return { topic: readingsTopicName, key: encoder.encode(port), value, receivedMs, headers: [] };
}

/** Records that were dropped because there was no room for them. Times by the monotonic clock. */
export interface Dropped {
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Bad frames that were not kept, by their reasons. Times by the monotonic clock. */
export interface LeftOut {
  readonly counts: Readonly<Partial<Record<DeadLetterReason, number>>>;
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * One dead letter for all of them, with the time of the first: there was no room for their bytes, so its value is their
 * count and the time from the first to the last, as JSON.
 */
export const droppedLetter = (port: string, { count, ...times }: Dropped): ReceivedRecord =>
  summary(port, 'records-dropped', { dropped: count }, times);

/** The same for bad frames that were not kept, with how many of which reason. */
export const leftOutLetter = (port: string, { counts, ...times }: LeftOut): ReceivedRecord =>
  summary(port, 'dead-letters-left-out', { leftOut: counts }, times);

function summary(
  port: string,
  reason: SummaryReason,
  counts: object,
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
): ReceivedRecord {
  const overSeconds = Math.round((lastMs - firstMs) / 1000);
  return deadLetter(port, encoder.encode(JSON.stringify({ ...counts, overSeconds })), firstMs, reason);
}
