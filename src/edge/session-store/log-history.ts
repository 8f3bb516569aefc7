import type { StoredRecord } from '../../core/record.ts';
import { readingsTopic } from '../../ingest/mqtt/record.ts';
import type { History } from '../../ingest/mqtt/sessions/catch-up.ts';
import type { PartitionInfo } from '../../log/types.ts';
import { type RecordLog, readRecords } from '../admin/record-stream.ts';

/** What {@link logHistory} asks of the log. */
export interface HistoryLog extends RecordLog {
  storedBytes(topic: string, partition: number, offset: number): number;
}

/** The topic that MQTT writes to, as ingest reads it back after a crash. */
export function logHistory(log: HistoryLog): History {
  const partitions = (): readonly PartitionInfo[] =>
    log
      .partitions()
      .filter(({ topic }) => topic === readingsTopic)
      .toSorted((one, other) => one.partition - other.partition);
  const infoOf = (partition: number) => partitions()[partition] ?? { logStartOffset: 0, highWatermark: 0 };
  return {
    ends: () => partitions().map(({ highWatermark }) => highWatermark),

    farBack(partition, bytesMax) {
      const { logStartOffset, highWatermark } = infoOf(partition);
      let from = logStartOffset;
      let to = highWatermark;
      while (from < to) {
        const middle = Math.floor((from + to) / 2);
        if (log.storedBytes(readingsTopic, partition, middle) > bytesMax) from = middle + 1;
        else to = middle;
      }
      return from;
    },

    async *read(partition, from, signal): AsyncGenerator<readonly StoredRecord[]> {
      const { logStartOffset, highWatermark } = infoOf(partition);
      const offset = Math.max(from, logStartOffset);
      if (offset >= highWatermark) return;
      const query = { topic: readingsTopic, partition, offset, follow: false };
      for await (const { records } of readRecords(log, query, signal)) yield records;
    },
  };
}
