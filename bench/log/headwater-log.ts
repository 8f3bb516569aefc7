import type { Disk } from '../../src/core/disk.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { NewRecord } from '../../src/core/record.ts';
import { Log, type LogOptions } from '../../src/log/log.ts';
import type { TopicSettings } from '../../src/log/types.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import type { Contender } from './contender.ts';
import { topic } from './readings.ts';

const READ_BYTES = 1024 * 1024;

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

  async append(records: readonly NewRecord[]): Promise<void> {
    await this.log.append(records);
  }

  read(partition: number): Promise<number> {
    return readPartition(this.log, partition);
  }

  async close(): Promise<void> {
    await this.log.close();
  }
}

/** Reads all of a partition, batches as they are; how many records it holds. */
export async function readPartition(log: Log, partition: number): Promise<number> {
  let count = 0;
  let offset = log.partitions().find((one) => one.partition === partition)?.logStartOffset ?? 0;
  for (;;) {
    const batches = await log.read(topic, partition, offset, READ_BYTES);
    const last = batches.at(-1);
    if (last === undefined) return count;
    for (const batch of batches) count += batch.lastOffset - Math.max(batch.baseOffset, offset) + 1;
    offset = last.lastOffset + 1;
  }
}
