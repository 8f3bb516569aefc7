import { limits } from '../../core/limits.ts';
import { type NewRecord, payloadBytes } from '../../core/record.ts';

/** What an MQTT client publishes, and a will. */
export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

/** Whether the log would take a record of this size. */
export const isTooLarge = (record: NewRecord): boolean => payloadBytes(record) > limits.recordBytesMax;
