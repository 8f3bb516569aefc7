import type { Disk } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { StampedRecord } from '../../src/core/record.ts';
import { Log, type LogOptions } from '../../src/log/log.ts';
import type { TopicSettings } from '../../src/log/types.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import type { Contender } from './contender.ts';
import { topic } from './readings.ts';

/** A figure is worth nothing if the log had trouble meanwhile: it must be seen. */
const loudLogger: Logger = {
  ...silentLogger,
  warn: (fields, message) => console.error('WARNING:', message, fields),
  error: (fields, message) => console.error('ERROR:', message, fields),
};

/** Our log as the gateway opens it, but for the commit interval: a commit leaves as soon as the last one is done. */
export const openLog = (disk: Disk, options: Partial<LogOptions> = {}): Promise<Log> =>
  Log.open({
    disk,
    clock: nodeClock,
    random: nodeRandom,
    logger: loudLogger,
    metrics: noMetrics,
    version: 'bench',
    commitIntervalMs: 0,
    ...options,
  });

export class HeadwaterLog implements Contender {
  readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  static async open(
    disk: Disk,
    partitions: number,
    options: { readonly log?: Partial<LogOptions>; readonly topic?: TopicSettings } = {},
  ): Promise<HeadwaterLog> {
    const log = await openLog(disk, options.log);
    await log.createTopic(topic, partitions, options.topic);
    return new HeadwaterLog(log);
  }

  async append(records: readonly StampedRecord[]): Promise<void> {
    await this.log.append(records);
  }

  read(partitions: readonly number[]): Promise<number> {
    return readPartitions(this.log, partitions);
  }

  async close(): Promise<void> {
    await this.log.close();
  }
}

/**
 * Reads all of these partitions in step, as the mirror does, and batches as they are, as much at a time as the admin
 * HTTP does; how many records they hold.
 */
export async function readPartitions(log: Log, partitions: readonly number[]): Promise<number> {
  let count = 0;
  const starts = new Map(
    log.partitions().map(({ partition, logStartOffset }) => [partition, logStartOffset]),
  );
  const offsets = new Map(partitions.map((partition) => [partition, starts.get(partition) ?? 0]));
  while (offsets.size > 0) {
    for (const [partition, offset] of offsets) {
      const batches = await log.read(topic, partition, offset, limits.adminReadBytesMax);
      const last = batches.at(-1);
      if (last === undefined) {
        offsets.delete(partition);
        continue;
      }
      for (const batch of batches) count += batch.lastOffset - Math.max(batch.baseOffset, offset) + 1;
      offsets.set(partition, last.lastOffset + 1);
      log.giveBack(batches);
    }
  }
  return count;
}
