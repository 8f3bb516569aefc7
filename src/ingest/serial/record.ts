import type { ReceivedRecord } from '../../core/record.ts';
import { readingsTopicName } from '../../core/topic-name.ts';
import { decodeProblems } from '../decode/decoder.ts';
import { frameProblems } from './frame.ts';

/** Why a frame is a dead letter. */
export const deadLetterReasons = [...frameProblems, ...decodeProblems] as const;

export type DeadLetterReason = (typeof deadLetterReasons)[number];

/**
 * The record of a good frame.
 * @param key the name of the port
 * @param receivedMs when its first byte was received, by the monotonic clock
 */
export function readingRecord(key: Uint8Array, value: Uint8Array, receivedMs: number): ReceivedRecord {
  return { topic: readingsTopicName, key, value, receivedMs, headers: [] };
}
