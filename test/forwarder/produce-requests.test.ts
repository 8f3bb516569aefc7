import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { PartitionBatch } from '../../src/forwarder/cluster/target.ts';
import {
  type ProduceRequest,
  requestsOf,
  roundsOf,
  sendInOrder,
} from '../../src/forwarder/kafka/produce-requests.ts';
import { sequenceKey } from '../../src/forwarder/kafka/sequences.ts';

const batch = (partition: number, size: number, id: number): PartitionBatch => ({
  topic: 't',
  partition,
  batch: { bytes: new Uint8Array(size), recordCount: id },
  source: null,
});

const idsIn = (requests: readonly ProduceRequest[]): number[][] =>
  requests.map((request) => request.map((one) => one.batch.recordCount));

describe('produce requests', () => {
  test('hold one batch of each partition, those of one partition in their order', () => {
    const batches = [batch(0, 9, 1), batch(0, 9, 2), batch(1, 9, 3), batch(0, 9, 4), batch(2, 9, 5)];
    expect(idsIn(requestsOf(roundsOf(batches), limits.produceRequestBytesMax))).toEqual([
      [1, 3, 5],
      [2],
      [4],
    ]);
  });

  test('keep their size bound, but for a batch that is larger by itself', () => {
    const large = limits.produceRequestBytesMax + 1;
    const half = limits.produceRequestBytesMax / 2;
    const batches = [
      batch(0, half, 1),
      batch(1, half, 2),
      batch(2, 1, 3),
      batch(3, large, 4),
      batch(4, 1, 5),
    ];
    expect(idsIn(requestsOf(roundsOf(batches), limits.produceRequestBytesMax))).toEqual([
      [1, 2],
      [3],
      [4],
      [5],
    ]);
  });

  test('carry every batch once, whatever there is', () => {
    const shape = fc.array(fc.tuple(fc.nat(3), fc.nat(600_000)), { maxLength: 40 });
    fc.assert(
      fc.property(shape, (shapes) => {
        const batches = shapes.map(([partition, size], id) => batch(partition, size, id));
        const requests = requestsOf(roundsOf(batches), limits.produceRequestBytesMax);
        for (const request of requests) {
          expect(new Set(request.map(sequenceKey)).size).toBe(request.length);
          const bytes = request.reduce((sum, one) => sum + one.batch.bytes.length, 0);
          expect(bytes).toBeLessThanOrEqual(limits.produceRequestBytesMax);
        }
        const sent = requests.flat();
        expect(sent).toHaveLength(batches.length);
        for (const [key, group] of Map.groupBy(sent, sequenceKey))
          expect(group).toEqual(batches.filter((one) => sequenceKey(one) === key));
      }),
    );
  });
});

describe('requests that are sent in order', () => {
  const requests = Array.from({ length: 20 }, (_, id) => [batch(0, 1, id)]);

  test('are some at a time, and begin in their order', async () => {
    const begun: number[] = [];
    let underWay = 0;
    let most = 0;
    await sendInOrder(
      requests,
      async (request) => {
        begun.push(request[0]?.batch.recordCount ?? -1);
        underWay += 1;
        most = Math.max(most, underWay);
        for (let turns = begun.length % 3; turns >= 0; turns -= 1) await setImmediate();
        underWay -= 1;
      },
      () => true,
    );
    expect(begun).toEqual(requests.map((_, id) => id));
    expect(most).toBe(limits.produceRequestsMax);
  });

  test('end after the first that fails, but not before all others are answered', async () => {
    let answered = 0;
    let begun = 0;
    const sending = sendInOrder(
      requests,
      async (request) => {
        begun += 1;
        const id = request[0]?.batch.recordCount ?? -1;
        if (id === 1) throw new Error('lost');
        for (let turns = 0; turns < 10; turns += 1) await setImmediate();
        answered += 1;
      },
      () => true,
    );
    await expect(sending).rejects.toThrow('lost');
    expect(answered).toBe(begun - 1);
    expect(begun).toBe(limits.produceRequestsMax);
  });

  test('go on only while they may', async () => {
    let begun = 0;
    await sendInOrder(
      requests,
      async () => {
        begun += 1;
        await setImmediate();
      },
      () => begun < 7,
    );
    expect(begun).toBe(7);
  });
});
