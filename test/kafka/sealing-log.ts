import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { Log } from '../../src/log/log.ts';
import type { Compression } from '../../src/log/types.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';

/** A topic of two partitions for each compression. */
export const sealedTopics = { zstd: 'line-7', gzip: 'packed', none: 'plain' } as const satisfies Record<
  Compression,
  string
>;
export const partitionsPerTopic = 2;

/** A log on the real disk that seals all the time, because its journal files are small. `onSealed` hears how many it sealed. */
export const openSealingLog = (folder: string, onSealed: (files: number) => void): Promise<Log> =>
  Log.open({
    disk: new NodeDisk(folder),
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
    metrics: {
      ...noMetrics,
      add(name, by) {
        if (name === 'headwater_sealed_journal_files_total') onSealed(by);
      },
    },
    version: 'test',
    commitIntervalMs: 0,
    journalFileBytes: 128 * 1024,
  });

let appends = 0;

/** Appends records to each topic, in one commit. */
export async function appendSome(log: Log): Promise<void> {
  appends += 1;
  await log.append(
    Object.values(sealedTopics).flatMap((topic) =>
      Array.from({ length: 30 }, (_, index) => ({
        topic,
        key: index % 7 === 0 ? null : Buffer.from(`sensor-${index % 5}`),
        value: Buffer.from(`${process.pid}/${appends}/${index} ${'x'.repeat((index * 37) % 200)}`),
        timestampMs: Date.now(),
        headers: index % 4 === 0 ? [{ name: 'mqtt.topic', value: Buffer.from('plant/1') }] : [],
      })),
    ),
  );
}
