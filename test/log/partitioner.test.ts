import { expect, test } from 'vitest';
import { murmur2, partitionForKey } from '../../src/log/commits/partitioner.ts';

test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of «%s» is what Kafka publishes for it', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash);
});

test('a key is hashed the same wherever it lies in a larger buffer', () => {
  const larger = Buffer.from('xxxfoobaryyy');
  expect(murmur2(larger.subarray(3, 9))).toBe(-790332482);
});

test('bytes above 127 and an empty key have a partition in range', () => {
  for (const key of [Buffer.from([]), Buffer.from([255]), Buffer.from([128, 255, 254]), Buffer.alloc(7, 200)])
    for (const partitions of [1, 3, 64]) {
      const partition = partitionForKey(key, partitions);
      expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
    }
});

test('a key’s partition is the hash without its sign, modulo the number of partitions', () => {
  expect(partitionForKey(Buffer.from('21'), 7)).toBe((-973932308 & 0x7fffffff) % 7);
  expect(partitionForKey(Buffer.from('abc'), 7)).toBe(479470107 % 7);
});
