import type { ReceivedRecord } from '../../core/record.ts';
import { readingsTopicName } from '../../core/topic-name.ts';
import type { DecodeProblem } from '../decode/decoder.ts';
import type { FrameProblem } from './frame.ts';

/** Why a frame is a dead letter. */
export type DeadLetterReason = FrameProblem | DecodeProblem;

const encoder = new TextEncoder();

/**
 * The record of a good frame: keyed by the name of the port.
 * @param receivedMs when its first byte was received, by the monotonic clock
 */
export function readingRecord(port: string, value: Uint8Array, receivedMs: number): ReceivedRecord {
  return { topic: readingsTopicName, key: encoder.encode(port), value, receivedMs, headers: [] };
}
