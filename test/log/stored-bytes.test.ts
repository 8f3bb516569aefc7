import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Log } from '../../src/log/log.ts';
import type { PartitionId } from '../../src/log/state/entries.ts';
import { RecordSizes } from '../../src/log/state/record-sizes.ts';
import type { PartitionInfo } from '../../src/log/types.ts';
import { textRecord } from '../support/log-on-disk.ts';
import { newDisk, open, settled } from '../support/small-segments.ts';
import { seededRandom } from '../support/virtual-time.ts';

/** What the README says of the estimate: so far off at most while the records of a topic are of about one size. */
const errorShareMax = 0.1;

/** Readings of 20 to 120 bytes, and pictures of 1 to 3 kB that compress little. */
async function fill(log: Log, commits: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const text = (bytes: number): string => Buffer.from(random.bytes(bytes / 2)).toString('hex');
  for (let commit = 0; commit < commits; commit += 1) {
    const readings = Array.from({ length: 20 }, () =>
      textRecord('readings', text(20 + 100 * random.next()), { partition: 0 }),
    );
    const pictures = commit % 4 === 0 ? [textRecord('pictures', text(1000 + 2000 * random.next()))] : [];
    await log.append([...readings, ...pictures]);
  }
}

/** By reading everything: the batches from an offset on, of the first one the share that is at or above it. */
async function exactBytes(log: Log, { topic, partition }: PartitionInfo, offset: number): Promise<number> {
  let sum = 0;
  for (let next = offset; ; ) {
    const batches = await log.read(topic, partition, next, limits.readBytesMax);
    const last = batches.at(-1);
    if (last === undefined) return sum;
    for (const { baseOffset, lastOffset, bytes } of batches) {
      const records = lastOffset + 1 - baseOffset;
      sum += bytes.length * Math.min(1, (lastOffset + 1 - offset) / records);
    }
    next = last.lastOffset + 1;
  }
}

/** Of what `log` says, as a share. What is in memory is not sealed, so `other` reads the same from the disk. */
async function worstError(log: Log, other: Log): Promise<number> {
  let worst = 0;
  for (const info of log.partitions()) {
    const { topic, partition, logStartOffset, highWatermark } = info;
    for (const share of [0, 0.13, 0.5, 0.77, 0.95]) {
      const offset = logStartOffset + Math.floor(share * (highWatermark - logStartOffset));
      const exact = await exactBytes(other, info, offset);
      worst = Math.max(worst, Math.abs(log.storedBytes(topic, partition, offset) - exact) / exact);
    }
  }
  return worst;
}

describe('what the records from an offset on take', () => {
  test('is known within a tenth, sealed and unsealed, also after a restart', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await log.createTopic('readings', 1, { segmentBytes: limits.segmentBytesMin });
    await log.createTopic('pictures', 1, { segmentBytes: limits.segmentBytesMin });
    await fill(log, 400, 1);
    await settled(disk);
    const reader = await open(disk.fork());
    const sealed = await reader.read('readings', 0, 0, 1);
    const newest = await reader.read('readings', 0, 7999, 1);
    expect([sealed[0]?.sealed, newest[0]?.sealed]).toEqual([true, false]);
    expect(await worstError(log, reader)).toBeLessThan(errorShareMax);
    await reader.close();
    expect(log.storedBytes('readings', 0, 8000)).toBe(0);
    await log.close();
    const again = await open(disk);
    expect(await worstError(again, again)).toBeLessThan(errorShareMax);
    await again.close();
    // The newest file of the journal now holds one commit, and nothing of pictures.
    const third = await open(disk);
    expect(await worstError(third, third)).toBeLessThan(3 * errorShareMax);
    await third.close();
  });

  test('is asked of a partition that is there', async () => {
    const log = await open(newDisk());
    expect(() => log.storedBytes('readings', 0, 0)).toThrow(/there is no topic readings/);
    await log.createTopic('readings', 1);
    expect(log.storedBytes('readings', 0, 0)).toBe(0);
    await log.close();
  });
});

describe('the sizes of records', () => {
  const id: PartitionId = { topicNumber: 1, partition: 2 };

  test('are the average of what was seen, batches included', () => {
    const sizes = new RecordSizes();
    expect(sizes.of(id)).toBeUndefined();
    sizes.saw(id, 1, 100);
    sizes.saw(id, 3, 100);
    expect(sizes.of(id)).toBe(50);
    expect(sizes.of({ ...id, partition: 3 })).toBeUndefined();
  });

  test('follow what devices send now', () => {
    const sizes = new RecordSizes();
    for (let batch = 0; batch < 100; batch += 1) sizes.saw(id, 1000, limits.recordSizesBytesMax / 10);
    for (let batch = 0; batch < 100; batch += 1) sizes.saw(id, 1, limits.recordSizesBytesMax / 10);
    expect(sizes.of(id)).toBeGreaterThan(0.9 * (limits.recordSizesBytesMax / 10));
  });
});
