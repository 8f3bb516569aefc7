import { limits } from '../core/limits.ts';
import type { StoredRecord } from '../core/record.ts';
import { decodeBatch } from '../log/batch.ts';
import type { LogReader } from '../log/types.ts';
import type { Position, ReadRange } from './mirror.ts';
import { centralTopic } from './names.ts';
import { buildBatch, recordBytes } from './outgoing-batch.ts';
import { livesWithin } from './resume.ts';
import type { PartitionBatch } from './target.ts';

/** What one transaction carries, checkpoints excepted. */
export interface Flush {
  readonly ranges: readonly ReadRange[];
  readonly batches: readonly PartitionBatch[];
  readonly recordCount: number;
  /** Timestamps of the first and the last record; null without records. */
  readonly times: { readonly oldestMs: number; readonly newestMs: number } | null;
  /** Some partition has more than this flush took. */
  readonly backlog: boolean;
}

/**
 * Reads what stands behind the positions, in their order: at most one batch a partition and the bytes of one
 * transaction, so memory does not depend on the backlog.
 * @throws OperatingError if the log cannot be read there, for instance `offset-out-of-range`.
 */
export async function readFlush(
  log: LogReader,
  gateway: string,
  positions: readonly Position[],
): Promise<Flush> {
  const ends = new Map(
    log.partitions().map((info) => [`${info.topic}/${info.partition}`, info.highWatermark]),
  );
  const ranges: ReadRange[] = [];
  const batches: PartitionBatch[] = [];
  let bytesLeft: number = limits.transactionBytesMax;
  let recordCount = 0;
  const times: number[] = [];
  let backlog = false;
  for (const { topic, partition, nextOffset: fromOffset } of positions) {
    const end = ends.get(`${topic}/${partition}`) ?? fromOffset;
    if (end <= fromOffset) continue;
    if (bytesLeft < limits.forwardBatchBytesMax) {
      backlog = true;
      break;
    }
    const { records, bytes } = await readRecords(log, topic, partition, fromOffset);
    const last = records.at(-1);
    // Nothing to read up to the end: the medium took it all. The checkpoint passes it, or the mirror would stand still.
    const nextOffset = last === undefined ? end : last.offset + 1;
    const lives = livesWithin(log.lives(topic, partition), fromOffset, nextOffset);
    ranges.push({ topic, partition, fromOffset, nextOffset, lives });
    if (last !== undefined) {
      times.push(records[0]?.timestampMs ?? last.timestampMs, last.timestampMs);
      batches.push({ topic: centralTopic(gateway, topic), partition, batch: await buildBatch(records) });
    }
    bytesLeft -= bytes;
    recordCount += records.length;
    backlog ||= nextOffset < end;
  }
  const span = times.length === 0 ? null : { oldestMs: Math.min(...times), newestMs: Math.max(...times) };
  return { ranges, batches, recordCount, times: span, backlog };
}

/** Records from `fromOffset` on, as many as one batch may hold. */
async function readRecords(
  log: LogReader,
  topic: string,
  partition: number,
  fromOffset: number,
): Promise<{ readonly records: readonly StoredRecord[]; readonly bytes: number }> {
  const records: StoredRecord[] = [];
  let bytes = 0;
  for (const stored of await log.read(topic, partition, fromOffset, limits.forwardBatchBytesMax)) {
    for (const record of decodeBatch(stored.bytes)) {
      if (record.offset < fromOffset) continue;
      const size = recordBytes(record);
      if (records.length > 0 && bytes + size > limits.forwardBatchBytesMax) return { records, bytes };
      records.push(record);
      bytes += size;
    }
  }
  return { records, bytes };
}
