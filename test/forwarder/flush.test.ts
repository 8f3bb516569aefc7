import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { readFlush } from '../../src/forwarder/flush.ts';
import { stampProducer } from '../../src/forwarder/outgoing-batch.ts';
import { decodeBatch } from '../../src/log/batch.ts';
import { LogWithLives } from '../support/log-with-lives.ts';

const record = (bytes: number) => ({
  key: null,
  value: Buffer.alloc(bytes, 'x'),
  timestampMs: 0,
  headers: [],
});

const at = (topic: string, partition: number, nextOffset: number) => ({
  topic,
  partition,
  nextOffset,
  lives: [],
});

describe('a flush', () => {
  test('begins at the position, also in the middle of a stored batch', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, [record(1), record(2), record(3)]);
    const flush = await readFlush(log, 'gw1', [at('readings', 0, 1)]);
    expect(flush).toMatchObject({
      recordCount: 2,
      backlog: false,
      ranges: [{ fromOffset: 1, nextOffset: 3, lives: [{ life: log.life, firstOffset: 0 }] }],
    });
    const [sent] = flush.batches;
    expect(sent?.topic).toBe('gw1.readings');
    if (sent !== undefined) stampProducer(sent.batch, { id: 1n, epoch: 0 }, 0);
    expect(decodeBatch(sent?.batch.bytes ?? new Uint8Array()).map(({ value }) => value?.length)).toEqual([
      2, 3,
    ]);
  });

  test('merges the small batches of a partition into one, as large as a batch may be', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    for (let i = 0; i < 30; i += 1) log.append('readings', 0, [record(50_000)]);
    const flush = await readFlush(log, 'gw1', [at('readings', 0, 0)]);
    expect(flush.batches).toHaveLength(1);
    expect(flush.backlog).toBe(true);
    expect(flush.recordCount).toBe(Math.floor(limits.forwardBatchBytesMax / 50_040));
    expect(flush.ranges[0]?.nextOffset).toBe(flush.recordCount);
  });

  test('takes a record of the largest size', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, [record(limits.recordBytesMax)]);
    expect((await readFlush(log, 'gw1', [at('readings', 0, 0)])).recordCount).toBe(1);
  });

  test('is bounded by the bytes of one transaction, in the order of the positions', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 12);
    for (let partition = 0; partition < 12; partition += 1)
      log.append('readings', partition, [record(900_000)]);
    const positions = Array.from({ length: 12 }, (_, index) => at('readings', (index + 5) % 12, 0));
    const flush = await readFlush(log, 'gw1', positions);
    expect(flush.backlog).toBe(true);
    expect(flush.recordCount * 900_000).toBeLessThanOrEqual(limits.transactionBytesMax);
    expect(flush.ranges.slice(0, 3).map(({ partition }) => partition)).toEqual([5, 6, 7]);
  });

  test('is empty when all was sent, and skips partitions that were deleted', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    const flush = await readFlush(log, 'gw1', [at('readings', 0, 0), at('gone', 0, 7)]);
    expect(flush).toEqual({ ranges: [], batches: [], recordCount: 0, times: null, backlog: false });
  });

  test('passes a gap up to the end with its checkpoint alone, and does not spin', async () => {
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, [record(1)]);
    log.loseBatch('readings', 0, 0);
    expect(await readFlush(log, 'gw1', [at('readings', 0, 0)])).toMatchObject({
      ranges: [{ topic: 'readings', partition: 0, fromOffset: 0, nextOffset: 1 }],
      batches: [],
      recordCount: 0,
    });
  });
});
