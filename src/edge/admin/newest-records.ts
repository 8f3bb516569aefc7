import { limits } from '../../core/limits.ts';
import type { StoredRecord } from '../../core/record.ts';
import type { LogReader } from '../../log/types.ts';
import { ApiError } from './api-error.ts';
import { scanRecords } from './record-scan.ts';

/** A record as `GET /api/topics/NAME/newest` shows it: bytes in base64, of the value only the beginning. */
export interface NewestRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  /** As text, whatever it is. */
  readonly key: string | null;
  readonly valueBase64: string | null;
  /** Of the whole value, in bytes. */
  readonly valueLength: number;
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

/**
 * The newest records of a topic, the newest first.
 * @throws ApiError `not-found` if there is no such topic
 */
export async function newestRecords(
  log: LogReader,
  topic: string,
  count: number,
): Promise<readonly NewestRecord[]> {
  const partitions = log.partitions().filter((info) => info.topic === topic);
  if (partitions.length === 0) throw new ApiError('not-found', `there is no topic ${topic}`);
  const records: NewestRecord[] = [];
  for (const { partition, logStartOffset } of partitions) {
    const range = { topic, partition, from: logStartOffset, recordsMax: count };
    await scanRecords(log, range, (record) => records.push(shown(partition, record)));
  }
  return records
    .sort((one, other) => other.timestampMs - one.timestampMs || other.offset - one.offset)
    .slice(0, count);
}

function shown(partition: number, { offset, timestampMs, key, value, headers }: StoredRecord): NewestRecord {
  return {
    partition,
    offset,
    timestampMs,
    key: textOf(key),
    valueBase64:
      value === null ? null : bufferOf(value).subarray(0, limits.newestValueBytes).toString('base64'),
    valueLength: value?.length ?? 0,
    headers: headers.map((header) => ({ name: header.name, value: textOf(header.value) })),
  };
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : bufferOf(bytes.subarray(0, limits.newestValueBytes)).toString('utf8');
