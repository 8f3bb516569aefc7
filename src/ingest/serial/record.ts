import type { ReceivedRecord } from '../../core/record.ts';
import { readingsTopicName } from '../../core/topic-name.ts';
import { deadLetter } from '../dead-letter.ts';
import type { DecodeProblem } from '../decode/decoder.ts';
import type { FrameProblem } from './frame.ts';

/** Why a frame, or several, are a dead letter. `records-dropped`: see {@link droppedLetter}. */
export type DeadLetterReason = FrameProblem | DecodeProblem | 'records-dropped';

const encoder = new TextEncoder();

/**
 * The record of a good frame: keyed by the name of the port.
 * @param receivedMs when its first byte was received, by the monotonic clock
 */
export function readingRecord(port: string, value: Uint8Array, receivedMs: number): ReceivedRecord {
  return { topic: readingsTopicName, key: encoder.encode(port), value, receivedMs, headers: [] };
}

/** Records that were dropped because there was no room for them. */
export interface Dropped {
  readonly count: number;
  /** The time of the first one, by the monotonic clock. */
  readonly receivedMs: number;
}

/** One dead letter for all of them: there was no room for their bytes, so its value is their count, as JSON. */
export function droppedLetter(port: string, { count, receivedMs }: Dropped): ReceivedRecord {
  const value = encoder.encode(JSON.stringify({ dropped: count }));
  return deadLetter(port, value, receivedMs, 'records-dropped' satisfies DeadLetterReason);
}
