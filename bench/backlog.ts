import { limits } from '../src/core/limits.ts';
import { silentLogger } from '../src/core/logger.ts';
import { noMetrics } from '../src/core/metrics.ts';
import { Log } from '../src/log/log.ts';
import { prepareDataFolder } from '../src/platform/data-folder.ts';
import { nodeClock } from '../src/platform/node-clock.ts';
import { NodeDisk } from '../src/platform/node-disk.ts';
import { nodeRandom } from '../src/platform/node-random.ts';
import { until } from '../test/kafka/until.ts';

export const READING_BYTES = 149;
export const PARTITIONS = 4;
const DEVICES = 50;
/** In one append while the backlog is made. */
const APPEND_RECORDS = 2_000;
/** Small files leave little behind in the journal when the rest is sealed. */
export const SEALED_FILE_BYTES = 1024 * 1024;
const SEAL_MS_MAX = 600_000;

/** The key of the record with this number. */
export const deviceOf = (index: number): string => `device-${index % DEVICES}`;

/** What a sensor would send: the same fields each time, with values that wander, padded to the size. */
export function reading(index: number): string {
  const noise = ((index * 7919) % 1000) / 1000;
  const open = JSON.stringify({
    device: deviceOf(index),
    sequence: index,
    temperature: Number((20 + 5 * Math.sin(index / 7000) + noise / 5).toFixed(2)),
    humidity: Number((45 + 10 * Math.cos(index / 9000) + noise).toFixed(1)),
    pressure: Number((1013 + 8 * Math.sin(index / 50_000) + noise / 2).toFixed(2)),
    battery: 3 + ((index * 31) % 700) / 1000,
    note: '',
  });
  return `${open.slice(0, -2)}${'.'.repeat(Math.max(0, READING_BYTES - open.length))}"}`;
}

/** Fills a new data folder with readings; resolves when all whole journal files are sealed, to how much of it is in segments. */
export async function makeBacklog(
  folder: string,
  records: number,
  journalFileBytes: number,
): Promise<number> {
  const log = await Log.open({
    disk: new NodeDisk(await prepareDataFolder(folder)),
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
    metrics: noMetrics,
    version: 'bench',
    commitIntervalMs: 0,
    journalFileBytes,
  });
  try {
    await log.createTopic('readings', PARTITIONS);
    const startMs = Date.now();
    for (let first = 0; first < records; first += APPEND_RECORDS) {
      const count = Math.min(APPEND_RECORDS, records - first);
      await log.append(
        Array.from({ length: count }, (_, at) => ({
          topic: 'readings',
          key: Buffer.from(deviceOf(first + at)),
          value: Buffer.from(reading(first + at)),
          timestampMs: startMs + Math.floor((first + at) / 100),
          headers: [],
        })),
      );
    }
    let sealed = 0;
    // Until whole files are sealed, one read after the other shows how far it has come.
    await until('the whole files are sealed', SEAL_MS_MAX, async () => {
      const filesMax = limits.sealFilesMin + 1;
      sealed = await sealedRecords(log);
      return log.stats().journalFiles <= filesMax || undefined;
    });
    return sealed / records;
  } finally {
    await log.close();
  }
}

async function sealedRecords(log: Log): Promise<number> {
  let sealed = 0;
  for (const { topic, partition, highWatermark } of log.partitions()) {
    for (let offset = 0; offset < highWatermark; ) {
      const batches = await log.read(topic, partition, offset, limits.readBytesMax);
      sealed += batches
        .filter((batch) => batch.sealed)
        .reduce((sum, one) => sum + one.lastOffset - one.baseOffset + 1, 0);
      offset = (batches.at(-1)?.lastOffset ?? highWatermark) + 1;
    }
  }
  return sealed;
}
