import { describe, expect, test } from 'vitest';
import { centralPartition, sourcePartitions } from '../../src/forwarder/flush/central-partitions.ts';

const preserved = { isByKey: false, partitions: 4, sourcePartitions: 4 };
const byKey = { isByKey: true, partitions: 7, sourcePartitions: 10 };

const keyed = (key: string | null) => ({ key: key === null ? null : Buffer.from(key) });

describe('the central partition of a record', () => {
  test('is its own, whatever its key, where partitions are preserved', () => {
    expect(centralPartition(preserved, 3, keyed('21'))).toBe(3);
    expect(centralPartition(preserved, 3, keyed(null))).toBe(3);
  });

  test('is that which Kafka’s partitioner gives for its key, whatever its own', () => {
    // The hash that Kafka publishes for «21», without its sign.
    for (const partition of [0, 3, 9])
      expect(centralPartition(byKey, partition, keyed('21'))).toBe((-973932308 & 0x7fffffff) % 7);
    expect(centralPartition(byKey, 0, keyed('abc'))).toBe(479470107 % 7);
  });

  test('is one for each partition here, if there is no key', () => {
    expect([0, 6, 7, 9].map((partition) => centralPartition(byKey, partition, keyed(null)))).toEqual([
      0, 6, 0, 2,
    ]);
  });

  test('takes an empty key for a key, as Kafka does', () => {
    const central = 275646681 % 7;
    expect([0, 5].map((partition) => centralPartition(byKey, partition, keyed('')))).toEqual([
      central,
      central,
    ]);
  });
});

test('all partitions wait for a central one to which keys may lead, and none for one that is too many', () => {
  expect(sourcePartitions(preserved, 2)).toEqual([2]);
  expect(sourcePartitions(preserved, 4)).toEqual([]);
  expect(sourcePartitions({ ...byKey, sourcePartitions: 3 }, 6)).toEqual([0, 1, 2]);
  expect(sourcePartitions(byKey, 7)).toEqual([]);
});
