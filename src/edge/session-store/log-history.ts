import type { StoredRecord } from '../../core/record.ts';
import { isOwnTopic } from '../../ingest/mqtt/routes/route.ts';
import type { History } from '../../ingest/mqtt/sessions/catch-up.ts';
import type { PartitionInfo } from '../../log/types.ts';
import { type RecordLog, readRecords } from '../admin/record-stream.ts';

/** What {@link logHistory} asks of the log. */
export interface HistoryLog extends RecordLog {
  storedBytes(topic: string, partition: number, offset: number): number;
}

/** The topics that MQTT may write to, as ingest reads them back after a crash. */
export function logHistory(log: HistoryLog): History {
  const partitions = (): readonly PartitionInfo[] =>
    log.partitions().filter(({ topic }) => !isOwnTopic(topic));
  const infoOf = (name: string): PartitionInfo | undefined =>
    partitions().find((info) => nameOf(info) === name);
  return {
    ends: () => Object.fromEntries(partitions().map((info) => [nameOf(info), info.highWatermark])),

    farBack(name, bytesMax) {
      const info = infoOf(name);
      if (info === undefined) return 0;
      let from = info.logStartOffset;
      let to = info.highWatermark;
      while (from < to) {
        const middle = Math.floor((from + to) / 2);
        if (log.storedBytes(info.topic, info.partition, middle) > bytesMax) from = middle + 1;
        else to = middle;
      }
      return from;
    },

    async *read(name, from, signal): AsyncGenerator<readonly StoredRecord[]> {
      const info = infoOf(name);
      if (info === undefined || Math.max(from, info.logStartOffset) >= info.highWatermark) return;
      const { topic, partition, logStartOffset } = info;
      const query = { topic, partition, offset: Math.max(from, logStartOffset), follow: false };
      for await (const { records } of readRecords(log, query, signal)) yield records;
    },
  };
}

const nameOf = ({ topic, partition }: PartitionInfo): string => `${topic}/${partition}`;
