import { isUtf8 } from 'node:buffer';
import { limits } from '../../core/limits.ts';
import type { NewRecord, StoredRecord } from '../../core/record.ts';

/** The body of `POST /api/records`. */
export interface RecordsInput {
  readonly topic: string;
  readonly records: readonly {
    readonly key?: string | null;
    readonly value: string | null;
    readonly partition?: number;
  }[];
}

/** The JSON schema of {@link RecordsInput}. */
export const recordsInputSchema = {
  type: 'object',
  required: ['topic', 'records'],
  additionalProperties: false,
  properties: {
    topic: { type: 'string' },
    records: {
      type: 'array',
      minItems: 1,
      maxItems: limits.adminRecordsPerRequestMax,
      items: {
        type: 'object',
        required: ['value'],
        additionalProperties: false,
        properties: {
          key: { type: ['string', 'null'] },
          value: { type: ['string', 'null'] },
          partition: { type: 'integer', minimum: 0 },
        },
      },
    },
  },
};

/** The records of a request, which was received at this time by the monotonic clock. */
export function newRecords({ topic, records }: RecordsInput, receivedMs: number): readonly NewRecord[] {
  return records.map(({ key, value, partition }) => ({
    topic,
    key: bytesOf(key ?? null),
    value: bytesOf(value),
    receivedMs,
    headers: [],
    ...(partition === undefined ? {} : { partition }),
  }));
}

const bytesOf = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text));

/** One line of `GET /api/records`, line end included. */
export function recordLine(topic: string, partition: number, record: StoredRecord): string {
  return `${JSON.stringify({ topic, partition, ...recordFields(record) })}\n`;
}

/** A record as JSON shows it. */
export const recordFields = (record: StoredRecord): object => ({
  offset: record.offset,
  timestampMs: record.timestampMs,
  ...textOrBase64('key', record.key),
  ...textOrBase64('value', record.value),
  headers: record.headers.map(({ name, value }) => ({ name, ...textOrBase64('value', value) })),
});

/** Text where the bytes are valid UTF-8, so that it turns back into the same bytes; base64 otherwise; null stays null. */
function textOrBase64(name: 'key' | 'value', bytes: Uint8Array | null): object {
  if (bytes === null) return { [name]: null };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer)
    ? { [name]: buffer.toString('utf8') }
    : { [`${name}Base64`]: buffer.toString('base64') };
}
