import { limits } from '../../core/limits.ts';
import type { NewRecord, ReceivedRecord } from '../../core/record.ts';

/** What an MQTT client publishes, and a will. */
export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

const TOPIC = 'readings';
const encoder = new TextEncoder();

/**
 * The record of a message: in topic `readings`, keyed by the MQTT topic, the payload verbatim.
 * @param receivedMs when the gateway received it, by the monotonic clock, milliseconds
 */
export function recordOf({ topic, payload }: Message, receivedMs: number): ReceivedRecord {
  return {
    topic: TOPIC,
    key: encoder.encode(topic),
    value: typeof payload === 'string' ? encoder.encode(payload) : payload,
    receivedMs,
    headers: [],
  };
}

/** Whether the log would take a record of this size. */
export function isTooLarge({ key, value }: NewRecord): boolean {
  return (key?.length ?? 0) + (value?.length ?? 0) > limits.recordBytesMax;
}
