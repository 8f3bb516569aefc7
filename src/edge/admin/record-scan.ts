import { setImmediate } from 'node:timers/promises';
import { limits } from '../../core/limits.ts';
import type { StoredRecord } from '../../core/record.ts';
import { decodeBatch } from '../../log/encoding/batch.ts';
import type { LogReader, PartitionInfo } from '../../log/types.ts';

/** Which records to look at: from an offset to the end as it is now, but no more than the newest so many. */
export interface ScannedRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly recordsMax: number;
}

/**
 * Shows each record of the range, in order, to `look`, which may keep nothing of it but copies. Others get the event loop between reads.
 * Resolves with whether there were more than `recordsMax`.
 * @throws OperatingError `unreadable-format` for a damaged batch, and as the log's `read`
 */
export async function scanRecords(
  log: LogReader,
  { topic, partition, from, recordsMax }: ScannedRange,
  look: (record: StoredRecord) => void,
): Promise<boolean> {
  const first = infoOf(log, topic, partition);
  if (first === undefined) return false;
  const end = first.highWatermark;
  const wanted = Math.max(from, first.logStartOffset);
  const begin = Math.max(wanted, end - recordsMax);
  let next = begin;
  for (;;) {
    // Retention may have removed some meanwhile, or somebody the topic.
    const info = infoOf(log, topic, partition);
    if (info === undefined) break;
    next = Math.max(next, info.logStartOffset);
    if (next >= end) break;
    const batches = await log.read(topic, partition, next, limits.scanReadBytesMax);
    for (const { bytes } of batches)
      for (const record of decodeBatch(bytes)) if (record.offset >= next && record.offset < end) look(record);
    next = (batches.at(-1)?.lastOffset ?? end) + 1;
    log.giveBack(batches);
    await setImmediate();
  }
  return begin > wanted;
}

const infoOf = (log: LogReader, topic: string, partition: number): PartitionInfo | undefined =>
  log.partitions().find((info) => info.topic === topic && info.partition === partition);
