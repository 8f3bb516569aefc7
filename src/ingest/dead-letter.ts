import type { ReceivedRecord, RecordHeader } from '../core/record.ts';

/** Where bad input is kept. The gateway creates it when a source is configured that can have some. */
export const deadLetterTopic = 'dead-letters';

const encoder = new TextEncoder();

/**
 * The record of input that cannot be a reading, which is kept as it came.
 * @param source its name, which is the key
 * @param receivedMs when it was received, by the monotonic clock
 */
export function deadLetter(
  source: string,
  bytes: Uint8Array,
  receivedMs: number,
  reason: string,
): ReceivedRecord {
  const headers = [header('reason', reason), header('source', source)];
  return { topic: deadLetterTopic, key: encoder.encode(source), value: bytes, receivedMs, headers };
}

const header = (name: string, value: string): RecordHeader => ({ name, value: encoder.encode(value) });
