import { limits } from '../../core/limits.ts';
import { type NewRecord, payloadBytes, type ReceivedRecord, type RecordHeader } from '../../core/record.ts';

/** What an MQTT client publishes, and a will. */
export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

/** The log's topic of MQTT messages. */
export const readingsTopic = 'readings';

const encoder = new TextEncoder();

/**
 * The record of a message: in topic `readings`, keyed by the MQTT topic, the payload verbatim.
 * @param receivedMs when the gateway received it, by the monotonic clock, milliseconds
 */
export function recordOf(
  { topic, payload }: Message,
  receivedMs: number,
  headers: readonly RecordHeader[],
): ReceivedRecord {
  return {
    topic: readingsTopic,
    key: encoder.encode(topic),
    value: typeof payload === 'string' ? encoder.encode(payload) : payload,
    receivedMs,
    headers,
  };
}

/** Whether the log would take a record of this size. */
export const isTooLarge = (record: NewRecord): boolean => payloadBytes(record) > limits.recordBytesMax;
