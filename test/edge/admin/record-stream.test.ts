import { expect, test } from 'vitest';
import { type RecordQuery, readRecords } from '../../../src/edge/admin/record-stream.ts';
import type { PartitionInfo } from '../../../src/log/types.ts';
import { MemoryLog } from '../../support/memory-log.ts';

const record = (value: string, partition = 0) => ({
  topic: 'readings',
  partition,
  key: null,
  value: Buffer.from(value),
  timestampMs: 0,
  headers: [],
});

/** Appends a record just after a reader has looked where the partitions end. */
class RacingLog extends MemoryLog {
  armed = false;

  override partitions(): readonly PartitionInfo[] {
    const before = super.partitions();
    if (this.armed) {
      this.armed = false;
      queueMicrotask(() => void this.append([record('raced')]));
    }
    return before;
  }
}

async function valuesOf(log: MemoryLog, query: RecordQuery, atMost: number): Promise<string[]> {
  const values: string[] = [];
  for await (const { records } of readRecords(log, query, AbortSignal.timeout(10_000))) {
    values.push(...records.map(({ value }) => Buffer.from(value ?? []).toString()));
    if (values.length >= atMost) break;
  }
  return values;
}

test('a follower does not miss a commit that comes between its last look and its wait', async () => {
  const log = new RacingLog();
  await log.createTopic('readings', 1);
  const reader = readRecords(log, { topic: 'readings', follow: true }, AbortSignal.timeout(10_000));
  const chunks = reader[Symbol.asyncIterator]();
  for (let round = 0; round < 3; round++) {
    log.armed = true;
    expect((await chunks.next()).value).toMatchObject({ partition: 0, records: [{ offset: round }] });
  }
  await chunks.return?.();
  expect(log.listeners).toBe(0);
});

test('what is appended after the start is not read without follow', async () => {
  const log = new RacingLog();
  await log.createTopic('readings', 1);
  await log.append([record('a')]);
  const reader = readRecords(log, { topic: 'readings', follow: false }, AbortSignal.timeout(5_000));
  await log.append([record('b')]);
  const values: string[] = [];
  for await (const { records } of reader) values.push(...records.map(({ value }) => String(value)));
  expect(values).toHaveLength(1);
});

test('what is deleted during the reading is passed over', async () => {
  const log = new MemoryLog();
  await log.createTopic('readings', 1);
  const large = 'x'.repeat(300_000);
  await log.append(['a', 'b', 'c', 'd'].map((value) => record(value + large)));
  const seen: number[] = [];
  for await (const { records } of readRecords(
    log,
    { topic: 'readings', follow: false },
    new AbortController().signal,
  )) {
    seen.push(...records.map(({ offset }) => offset));
    log.moveLogStart('readings', 0, 3);
  }
  expect(seen).toEqual([0, 3]);
});

test('a time starts each partition at its first record from then on, and what comes after it is read', async () => {
  const log = new MemoryLog();
  await log.createTopic('readings', 2);
  const at = (value: string, timestampMs: number, partition: number) => ({
    ...record(value, partition),
    timestampMs,
  });
  await log.append([at('a', 10, 0), at('b', 30, 0), at('late', 5, 0), at('c', 20, 1), at('d', 40, 1)]);
  const from = (fromTimeMs: number) =>
    valuesOf(log, { topic: 'readings', fromTimeMs, follow: false }, Number.POSITIVE_INFINITY);
  expect(await from(0)).toEqual(['a', 'b', 'late', 'c', 'd']);
  expect(await from(30)).toEqual(['b', 'late', 'd']);
  expect(await from(41)).toEqual([]);
  expect(log.listeners).toBe(0);
});

test.each([true, false])(
  'a reader of a topic that is deleted comes to its end (follow: %s)',
  async (follow) => {
    const log = new MemoryLog();
    await log.createTopic('readings', 2);
    await log.append([record('a'), record('b', 1)]);
    const values: string[] = [];
    for await (const { records } of readRecords(
      log,
      { topic: 'readings', follow },
      new AbortController().signal,
    )) {
      values.push(...records.map(({ value }) => String(value)));
      await log.deleteTopic('readings');
    }
    expect(values).toEqual(['a']);
    expect(log.listeners).toBe(0);
  },
);

test('a follower that waits comes to its end when its topic is deleted', async () => {
  const log = new MemoryLog();
  await log.createTopic('readings', 1);
  const reader = readRecords(log, { topic: 'readings', follow: true }, new AbortController().signal);
  const next = reader[Symbol.asyncIterator]().next();
  await log.deleteTopic('readings');
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a limit counts over all partitions', async () => {
  const log = new MemoryLog();
  await log.createTopic('readings', 2);
  await log.append([record('a'), record('b', 1), record('c', 1)]);
  expect(await valuesOf(log, { topic: 'readings', follow: true, limit: 2 }, 3)).toHaveLength(2);
});
