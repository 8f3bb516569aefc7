import { expect, test } from 'vitest';
import { collectCommitted } from '../../src/forwarder/kafka/committed-records.ts';

const batch = (baseOffset: number, producerId: bigint, entries: Record<string, string | null>) => ({
  baseOffset,
  lastOffset: baseOffset + Object.keys(entries).length - 1,
  producerId,
  isTransactional: true,
  isControl: false,
  records: Object.entries(entries).map(([key, value]) => ({
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  })),
});

const marker = (offset: number, producerId: bigint) => ({
  ...batch(offset, producerId, { 'log/marker': 'no' }),
  isControl: true,
});

function collect(...[fetched]: [Parameters<typeof collectCommitted>[1]]): Record<string, string> {
  const values = new Map<string, Uint8Array>();
  collectCommitted(values, fetched, ['log/']);
  return Object.fromEntries([...values].map(([key, value]) => [key, Buffer.from(value).toString()]));
}

test('the newest committed value of each key of ours counts, and an empty one removes the key', () => {
  const batches = [
    batch(0, 1n, { 'log/a': '1', 'log/b': '1', 'other/a': '9' }),
    marker(3, 1n),
    batch(4, 1n, { 'log/a': '2', 'log/b': null }),
    marker(6, 1n),
  ];
  expect(collect({ abortedTransactions: [], batches })).toEqual({ 'log/a': '2' });
});

test('records of aborted transactions and markers do not count, also between those of others', () => {
  const batches = [
    batch(0, 1n, { 'log/a': 'committed' }),
    marker(1, 1n),
    batch(2, 1n, { 'log/a': 'aborted' }),
    batch(3, 2n, { 'log/b': 'committed' }),
    marker(4, 2n),
    batch(5, 1n, { 'log/c': 'aborted' }),
    marker(6, 1n),
    batch(7, 1n, { 'log/d': 'committed again' }),
    marker(8, 1n),
  ];
  expect(collect({ abortedTransactions: [{ producerId: 1n, firstOffset: 2 }], batches })).toEqual({
    'log/a': 'committed',
    'log/b': 'committed',
    'log/d': 'committed again',
  });
});
