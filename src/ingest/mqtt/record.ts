import { limits } from '../../core/limits.ts';
import type { NewRecord } from '../../core/record.ts';

/** What an MQTT client publishes, and a will. */
export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

const TOPIC = 'readings';
const encoder = new TextEncoder();

/**
 * The record of a message: in topic `readings`, keyed by the MQTT topic, the payload verbatim.
 * @param timestampMs when the gateway received it, milliseconds since 1970 UTC
 */
export function recordOf({ topic, payload }: Message, timestampMs: number): NewRecord {
  return {
    topic: TOPIC,
    key: encoder.encode(topic),
    value: typeof payload === 'string' ? encoder.encode(payload) : payload,
    timestampMs,
    headers: [],
  };
}

/** Whether the log would take a record of this size. */
export function isTooLarge({ key, value }: NewRecord): boolean {
  return (key?.length ?? 0) + (value?.length ?? 0) > limits.recordBytesMax;
}
