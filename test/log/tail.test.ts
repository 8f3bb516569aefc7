import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { PartitionBatch } from '../../src/log/journal/file-index.ts';
import { Tail } from '../../src/log/tail.ts';

const batch = (
  partitionKey: string,
  baseOffset: number,
  count: number,
  sizeBytes: number,
): PartitionBatch => ({
  partitionKey,
  baseOffset,
  lastOffset: baseOffset + count - 1,
  sealed: false,
  maxTimestampMs: 0,
  bytes: new Uint8Array(sizeBytes),
});
const offsets = (batches: readonly { baseOffset: number }[] | undefined) =>
  batches?.map(({ baseOffset }) => baseOffset);

test('the tail gives the batch that holds the offset and those behind it', () => {
  const tail = new Tail();
  tail.add([batch('1/0', 0, 10, 100), batch('1/1', 0, 1, 100)]);
  tail.add([batch('1/0', 10, 10, 100), batch('1/0', 20, 1, 100)]);
  expect(offsets(tail.read('1/0', 0, 1000))).toEqual([0, 10, 20]);
  expect(offsets(tail.read('1/0', 19, 1000))).toEqual([10, 20]);
  expect(offsets(tail.read('1/0', 10, 100))).toEqual([10]);
  expect(offsets(tail.read('1/0', 10, 0))).toEqual([10]);
  expect(offsets(tail.read('1/0', 21, 1000))).toBeUndefined();
  expect(tail.read('2/0', 0, 1000)).toBeUndefined();
});

test('the tail does not answer for offsets before its oldest batch', () => {
  const tail = new Tail();
  tail.add([batch('1/0', 5, 2, 100)]);
  expect(tail.read('1/0', 4, 1000)).toBeUndefined();
});

test('the tail keeps no more bytes than its limit, and the newest of all partitions', () => {
  const tail = new Tail();
  const size = limits.tailBytesMax / 4;
  for (let offset = 0; offset < 8; offset += 1) tail.add([batch(`1/${offset % 2}`, offset, 1, size)]);
  expect([3, 4, 5, 6, 7].map((offset) => offsets(tail.read(`1/${offset % 2}`, offset, 1)))).toEqual([
    undefined,
    [4],
    [5],
    [6],
    [7],
  ]);
  tail.add([batch('1/0', 8, 1, limits.tailBytesMax)]);
  expect(offsets(tail.read('1/0', 8, 1))).toEqual([8]);
  expect(tail.read('1/1', 7, 1)).toBeUndefined();
});
