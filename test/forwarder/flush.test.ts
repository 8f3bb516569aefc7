import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { type OutgoingBatch, stampProducer } from '../../src/forwarder/cluster/outgoing-batch.ts';
import type { PartitionBatch, SessionTopic } from '../../src/forwarder/cluster/target.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { type Flush, readFlush } from '../../src/forwarder/flush/flush.ts';
import { nextSession } from '../../src/forwarder/lanes/session.ts';
import type { ReadPosition } from '../../src/forwarder/mirror/objections.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';
import type { Compression } from '../../src/log/types.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { seededRandom, VirtualClock } from '../support/virtual-time.ts';

/** The topics as a session would send them. */
const topicsOf = (log: LogWithLives): readonly SessionTopic[] =>
  nextSession({ log, assignment, mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }) }, 'bulk', [])
    .topics;

const clock = new VirtualClock();

const assignment = {
  identity: { logId: 'log', ancestors: [], board: null },
  isToInitialise: false,
  laneOf: () => 'bulk' as const,
};

const flushOf = (
  log: LogWithLives,
  positions: readonly ReadPosition[],
  bytesMax: number = limits.transactionBytesMax,
): Promise<Flush> => readFlush(log, topicsOf(log), positions, bytesMax, clock);

const record = (bytes: number) => ({
  key: null,
  value: Buffer.alloc(bytes, 'x'),
  timestampMs: 0,
  headers: [],
});

const at = (topic: string, partition: number, nextOffset: number): ReadPosition => ({
  topic,
  partition,
  nextOffset,
  lives: [],
  untilOffset: null,
  cuts: [],
  batchBytesMax: limits.forwardBatchBytesMax,
});

const stamped = (batch: OutgoingBatch | undefined): Uint8Array => {
  if (batch === undefined) throw new Error('no such batch');
  stampProducer(batch, { id: 1n, epoch: 0 }, 0);
  return batch.bytes;
};

const sizesIn = (batch: OutgoingBatch | undefined) =>
  decodeBatch(stamped(batch)).map(({ value }) => value?.length);

const valuesIn = (batches: readonly PartitionBatch[]): string[] =>
  batches.flatMap(({ batch }) =>
    decodeBatch(stamped(batch)).map(({ value }) => Buffer.from(value ?? []).toString('latin1')),
  );

/** Records that cannot be compressed, so that they make batches of a known size. */
const noise = (count: number, bytes = 1000) => {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => ({ ...record(0), value: random.bytes(bytes) }));
};

const textsOf = (records: readonly { readonly value: Uint8Array }[]): string[] =>
  records.map(({ value }) => Buffer.from(value).toString('latin1'));

describe('a flush', () => {
  test('begins at the position, also in the middle of a stored batch', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, [record(1), record(2), record(3)]);
    const flush = await flushOf(log, [at('readings', 0, 1)]);
    expect(flush).toMatchObject({
      recordCount: 2,
      backlog: false,
      ranges: [{ fromOffset: 1, nextOffset: 3, lives: [{ life: log.life, firstOffset: 0 }] }],
    });
    const [sent] = flush.batches;
    expect(sent?.topic).toBe('gw1.readings');
    expect(sizesIn(sent?.batch)).toEqual([2, 3]);
  });

  test('merges the small batches of a partition, as large as a batch may be', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    for (let i = 0; i < 30; i += 1) log.append('readings', 0, [record(50_000)]);
    const flush = await flushOf(log, [at('readings', 0, 0)]);
    const fitting = Math.floor(limits.forwardBatchBytesMax / 50_040);
    expect(flush.batches.map(({ batch }) => batch.recordCount)).toEqual([fitting, 30 - fitting]);
    expect(flush).toMatchObject({ recordCount: 30, backlog: false, ranges: [{ nextOffset: 30 }] });
  });

  test('takes a record of the largest size', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, [record(limits.recordBytesMax)]);
    expect((await flushOf(log, [at('readings', 0, 0)])).recordCount).toBe(1);
  });

  test('is bounded by the bytes of one transaction, in the order of the positions', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 12);
    for (let partition = 0; partition < 12; partition += 1)
      log.append('readings', partition, [record(900_000)]);
    const positions = Array.from({ length: 12 }, (_, index) => at('readings', (index + 5) % 12, 0));
    const flush = await flushOf(log, positions);
    expect(flush.backlog).toBe(true);
    expect(flush.recordCount * 900_000).toBeLessThanOrEqual(limits.transactionBytesMax);
    expect(flush.ranges.slice(0, 3).map(({ partition }) => partition)).toEqual([5, 6, 7]);
  });

  test('is empty when all was sent, and skips partitions that were deleted', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    const flush = await flushOf(log, [at('readings', 0, 0), at('gone', 0, 7)]);
    expect(flush).toEqual({ ranges: [], batches: [], recordCount: 0, backlog: false });
  });

  test.each<Compression>(['zstd', 'gzip', 'none'])(
    'sends a sealed batch as it is stored: %s',
    async (codec) => {
      const log = new LogWithLives();
      log.createTopic('readings', 1);
      for (let i = 0; i < 5; i += 1) log.append('readings', 0, [{ ...record(100), timestampMs: 1000 + i }]);
      log.startLife();
      log.seal('readings', 0, codec);
      const [stored] = await log.read('readings', 0, 0, 1000);
      const flush = await flushOf(log, [at('readings', 0, 0)]);
      expect(flush.recordCount).toBe(5);
      expect(flush.ranges.map(({ times }) => times)).toEqual([{ oldestMs: 1000, newestMs: 1004 }]);
      expect(flush.batches).toHaveLength(1);
      const sent = stamped(flush.batches[0]?.batch);
      expect(stored?.sealed).toBe(true);
      expect(Buffer.from(sent.subarray(61)).equals(stored?.bytes.subarray(61) ?? new Uint8Array())).toBe(
        true,
      );
      expect(sizesIn(flush.batches[0]?.batch)).toEqual([100, 100, 100, 100, 100]);
      // The log's own bytes are as they were: others may be reading them.
      expect(stored && decodeBatch(stored.bytes)).toHaveLength(5);
    },
  );

  test('takes sealed batches of one partition in their order, then the small ones of the journal', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    const records = noise(300);
    log.append('readings', 0, records);
    log.seal('readings', 0);
    log.append('readings', 0, [record(3), record(4)]);
    log.append('readings', 0, [record(5)]);
    const flush = await flushOf(log, [at('readings', 0, 0)]);
    expect(flush.batches.length).toBeGreaterThan(4);
    expect(flush.batches.at(-1)?.batch.recordCount).toBe(3);
    expect(valuesIn(flush.batches)).toEqual([...textsOf(records), 'xxx', 'xxxx', 'xxxxx']);
  });

  test('encodes the rest of a sealed batch anew when the position is in the middle of it', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    const records = noise(300);
    log.append('readings', 0, records);
    log.seal('readings', 0);
    const all = await log.read('readings', 0, 0, limits.readBytesMax);
    const inside = (all[1]?.baseOffset ?? 0) + 7;
    const flush = await flushOf(log, [at('readings', 0, inside)]);
    expect(flush.batches).toHaveLength(all.length - 1);
    expect(valuesIn(flush.batches)).toEqual(textsOf(records.slice(inside)));
    expect(flush.ranges).toMatchObject([{ fromOffset: inside, nextOffset: 300 }]);
  });

  test('shares its bytes among partitions with a backlog', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 3);
    for (const partition of [0, 1]) {
      log.append('readings', partition, noise(3000));
      log.seal('readings', partition);
    }
    const positions = [0, 1, 2].map((partition) => at('readings', partition, 0));
    const flush = await flushOf(log, positions, 4_000_000);
    const bytes = [0, 1].map((partition) =>
      flush.batches
        .filter((one) => one.partition === partition)
        .reduce((sum, { batch }) => sum + batch.bytes.length, 0),
    );
    expect(flush.backlog).toBe(true);
    for (const sum of bytes) {
      expect(sum).toBeGreaterThan(1_900_000);
      expect(sum).toBeLessThanOrEqual(2_000_000);
    }
  });

  test('takes one batch when hardly anything may be sent at once', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 2);
    for (const partition of [0, 1]) log.append('readings', partition, noise(300));
    log.seal('readings', 0);
    const positions = [at('readings', 0, 0), at('readings', 1, 0)];
    const sealed = await flushOf(log, positions, 1000);
    expect(sealed.batches).toHaveLength(1);
    expect(sealed).toMatchObject({ backlog: true, ranges: [{ partition: 0, fromOffset: 0 }] });
    const merged = await flushOf(log, positions.toReversed(), 3000);
    expect(merged).toMatchObject({
      backlog: true,
      recordCount: 2,
      ranges: [{ partition: 1, nextOffset: 2 }],
    });
  });

  test('leaves for later what is removed while it is read, and goes on with the others', async () => {
    const log = new LogWithLives();
    for (const topic of ['trimmed', 'deleted', 'readings']) {
      log.createTopic(topic, 1);
      log.append(topic, 0, [record(1), record(2)]);
    }
    const positions = ['trimmed', 'deleted', 'readings'].map((topic) => at(topic, 0, 0));
    const reading = flushOf(log, positions);
    log.deleteTopic('deleted');
    log.moveLogStart('trimmed', 0, 1);
    const flush = await reading;
    expect(flush.ranges.map(({ topic }) => topic)).toContain('readings');
    expect(flush.ranges.map(({ topic }) => topic)).not.toContain('deleted');
    const next = await flushOf(log, positions);
    expect(next).toMatchObject({ backlog: true, ranges: [{ topic: 'readings' }] });
  });

  test('passes a gap up to the end with its checkpoint alone, and does not spin', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, [record(1)]);
    log.loseBatch('readings', 0, 0);
    expect(await flushOf(log, [at('readings', 0, 0)])).toMatchObject({
      ranges: [{ topic: 'readings', partition: 0, fromOffset: 0, nextOffset: 1 }],
      batches: [],
      recordCount: 0,
    });
  });

  describe('of a partition that was refused before', () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, noise(10, 100));
    log.seal('readings', 0);
    log.append('readings', 0, noise(10, 100));
    const flushHow = (how: Partial<ReadPosition>) => flushOf(log, [{ ...at('readings', 0, 0), ...how }]);
    const rangesOf = ({ batches }: Awaited<ReturnType<typeof flushHow>>) =>
      batches.map(({ source, batch }) => [source?.fromOffset, source?.nextOffset, batch.recordCount]);

    test('says which offsets each batch carries', async () => {
      expect(rangesOf(await flushHow({}))).toEqual([
        [0, 10, 10],
        [10, 20, 10],
      ]);
    });

    test('ends batches where they are cut, sealed ones as well, and keeps the order', async () => {
      const flush = await flushHow({ cuts: [3, 10, 14] });
      expect(rangesOf(flush)).toEqual([
        [0, 3, 3],
        [3, 10, 7],
        [10, 14, 4],
        [14, 20, 6],
      ]);
      expect(valuesIn(flush.batches)).toEqual([...textsOf(noise(10, 100)), ...textsOf(noise(10, 100))]);
    });

    test('sends a sealed batch as it is if it is cut at its ends only', async () => {
      const [first] = (await flushHow({ cuts: [10] })).batches;
      const [whole] = (await flushHow({})).batches;
      expect(stamped(first?.batch)).toEqual(stamped(whole?.batch));
    });

    test('keeps batches as small as the topic wants them, down to single records', async () => {
      const flush = await flushHow({ batchBytesMax: 1 });
      expect(rangesOf(flush)).toEqual(Array.from({ length: 20 }, (_, offset) => [offset, offset + 1, 1]));
    });

    test.each([4, 10, 13])('stops at what is set aside, at %i', async (untilOffset) => {
      const flush = await flushHow({ untilOffset: untilOffset });
      expect(flush.ranges).toMatchObject([{ fromOffset: 0, nextOffset: untilOffset }]);
      expect(flush.recordCount).toBe(untilOffset);
      expect(flush.backlog).toBe(false);
    });

    test('passes a gap up to what is set aside', async () => {
      const damaged = new LogWithLives();
      damaged.createTopic('readings', 1);
      for (let batch = 0; batch < 3; batch += 1) damaged.append('readings', 0, [record(1)]);
      damaged.loseBatch('readings', 0, 0);
      const how = { ...at('readings', 0, 0), untilOffset: 1 };
      expect(await flushOf(damaged, [how])).toMatchObject({
        ranges: [{ fromOffset: 0, nextOffset: 1 }],
        batches: [],
      });
    });
  });

  describe('of a topic that is sent by key', () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.setTopic('readings', { centralPartitions: 3 });
    // Kafka's partitioner sends «a» to 1, and «b» to 2.
    const keys = ['a', 'b', 'b', 'a', 'a', 'b', 'a', 'b'];
    log.append(
      'readings',
      0,
      keys.map((key) => ({ ...record(1), key: Buffer.from(key) })),
    );
    log.seal('readings', 0);
    const batchesOf = async (how: Partial<ReadPosition>) => {
      const position = { ...at('readings', 0, 0), ...how };
      const { batches } = await flushOf(log, [position]);
      return batches.map(({ partition, source }) => [partition, source?.fromOffset, source?.offsets]);
    };

    test('decodes sealed batches, and says which offsets each batch carries', async () => {
      expect(await batchesOf({})).toEqual([
        [1, 0, [0, 3, 4, 6]],
        [2, 1, [1, 2, 5, 7]],
      ]);
    });

    test('groups what lies between two cuts apart', async () => {
      expect(await batchesOf({ cuts: [3, 5] })).toEqual([
        [1, 0, null],
        [2, 1, null],
        [1, 3, null],
        [2, 5, [5, 7]],
        [1, 6, null],
      ]);
    });

    test('lets everybody else go on between the batches that it decodes', async () => {
      const large = new LogWithLives();
      large.createTopic('readings', 1);
      large.setTopic('readings', { centralPartitions: 3 });
      for (let batch = 0; batch < 50; batch += 1) large.append('readings', 0, noise(100));
      large.seal('readings', 0);
      const turns = new VirtualClock();
      const { recordCount } = await readFlush(
        large,
        topicsOf(large),
        [at('readings', 0, 0)],
        limits.transactionBytesMax,
        turns,
      );
      expect(recordCount).toBe(5000);
      expect(turns.sleeps.length).toBeGreaterThan(50);
    });
  });
});
