import type { ReceivedRecord, RecordHeader } from '../core/record.ts';
import { deadLettersTopicName } from '../core/topic-name.ts';

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
  return { topic: deadLettersTopicName, key: encoder.encode(source), value: bytes, receivedMs, headers };
}

const header = (name: string, value: string): RecordHeader => ({ name, value: encoder.encode(value) });
