import { once } from 'node:events';
import type { Disk } from '../../src/core/disk.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { StampedRecord, StoredRecord } from '../../src/core/record.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';
import { Log, type LogOptions } from '../../src/log/log.ts';
import type { Sealer } from '../../src/log/segments/sealer.ts';
import type { Forwarding, LogReader } from '../../src/log/types.ts';
import { SimClock } from './sim-clock.ts';
import { SimRandom } from './sim-random.ts';

let seed = 0;

/** A log with small files, commits that never wait, and other random bytes at each opening. */
export function openLog(disk: Disk, options: Partial<LogOptions> = {}): Promise<Log> {
  seed += 1;
  return Log.open({
    disk,
    clock: new SimClock(),
    random: new SimRandom(seed),
    logger: silentLogger,
    metrics: noMetrics,
    version: '1.2.3',
    commitIntervalMs: 0,
    journalFileBytes: 32 * 1024,
    ...options,
  });
}

/** Leaves everything in the journal, for tests of the journal alone. */
export const neverSeal: Sealer = {
  async seal(_job, signal) {
    await once(signal, 'abort');
    throw signal.reason;
  },
  setCommitting() {},
};

/** What retention hears where there is no cluster. */
export const unmirrored: Forwarding = {
  isMirrored: () => false,
  confirmedOffset: () => 0,
  undecidedOffset: () => 0,
};

/** A record of the text. */
export const textRecord = (
  topic: string,
  text: string,
  more: Partial<StampedRecord> = {},
): StampedRecord => ({
  topic,
  key: null,
  value: Buffer.from(text),
  timestampMs: 1_700_000_000_000,
  headers: [],
  ...more,
});

/** Everything that a partition serves from `offset` on, read in pieces of about `bytesMax` bytes. */
export async function readRecords(
  log: LogReader,
  topic: string,
  partition: number,
  offset = 0,
  bytesMax = 1024,
): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for (let next = offset; ; ) {
    const batches = await log.read(topic, partition, next, bytesMax);
    const records = batches.flatMap(({ bytes }) => decodeBatch(bytes)).filter((one) => one.offset >= next);
    const last = records.at(-1);
    if (last === undefined) return found;
    found.push(...records);
    next = last.offset + 1;
  }
}

/** The texts that a partition serves from `offset` on. */
export const readTexts = async (
  log: LogReader,
  topic: string,
  partition: number,
  offset = 0,
  bytesMax = 1024,
): Promise<string[]> =>
  (await readRecords(log, topic, partition, offset, bytesMax)).map(({ value }) =>
    Buffer.from(value ?? []).toString(),
  );
