import { expect, test } from 'vitest';
import { verbatimBatch } from '../../src/forwarder/cluster/outgoing-batch.ts';
import { stampBatches } from '../../src/forwarder/kafka/sequences.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';

const record = { key: null, value: Buffer.from('x'), timestampMs: 0, headers: [] };
const batch = (partition: number, records: number) => ({
  topic: 't',
  partition,
  batch: verbatimBatch(
    encodeBatch(
      900,
      Array.from({ length: records }, () => record),
    ),
  ),
  source: null,
});

test('batches of one partition get sequences that follow each other, the same ones if they are stamped again', () => {
  const batches = [batch(0, 3), batch(0, 4), batch(1, 2), batch(0, 5)];
  const before = new Map([['t/0', 2 ** 31 - 5]]);
  for (const producer of [
    { id: 7n, epoch: 1 },
    { id: 7n, epoch: 2 },
  ]) {
    const after = stampBatches(batches, producer, before);
    const fields = batches.map((one) => {
      const view = Buffer.from(one.batch.bytes);
      return [view.readBigInt64BE(43), view.readInt16BE(51), view.readInt32BE(53)];
    });
    expect(fields).toEqual([
      [7n, producer.epoch, 2 ** 31 - 5],
      [7n, producer.epoch, 2 ** 31 - 2],
      [7n, producer.epoch, 0],
      [7n, producer.epoch, 2],
    ]);
    expect(after).toEqual(
      new Map([
        ['t/0', 7],
        ['t/1', 2],
      ]),
    );
  }
  expect(before.get('t/0')).toBe(2 ** 31 - 5);
});
