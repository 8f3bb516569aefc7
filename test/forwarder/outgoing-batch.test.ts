import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  buildBatch,
  nextSequence,
  recordBytes,
  stampProducer,
} from '../../src/forwarder/cluster/outgoing-batch.ts';
import { decodeBatch, encodeBatch } from '../../src/log/encoding/batch.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 8 }), value: bytes }), { maxLength: 3 }),
});

/** A batch of it is compressed on a thread. */
const large = {
  key: null,
  value: new Uint8Array(limits.compressedInPlaceBytesMax),
  timestampMs: 1,
  headers: [],
};

describe('an outgoing batch', () => {
  test('holds the records densely from offset 0, compressed, transactional and with a checksum', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        async (few, isLarge) => {
          const records = isLarge ? [...few, large] : few;
          const batch = await buildBatch(records);
          stampProducer(batch, { id: 123n, epoch: 7 }, 2 ** 31 - 1);
          const view = Buffer.from(batch.bytes);
          expect(batch.recordCount).toBe(records.length);
          expect(view.readBigInt64BE(0)).toBe(0n);
          expect(view.readInt32BE(8)).toBe(view.length - 12);
          expect(view.readInt16BE(21)).toBe(0x14);
          expect(view.readInt32BE(23)).toBe(records.length - 1);
          expect(Number(view.readBigInt64BE(35))).toBe(Math.max(...records.map((one) => one.timestampMs)));
          expect([view.readBigInt64BE(43), view.readInt16BE(51), view.readInt32BE(53)]).toEqual([
            123n,
            7,
            2 ** 31 - 1,
          ]);
          // The reader checks the checksum.
          const read = decodeBatch(batch.bytes);
          expect(read.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
          expect(read.map((one) => plain(one))).toEqual(records.map((one) => plain(one)));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('counts sequences modulo 2^31', () => {
    expect(nextSequence(0, 5)).toBe(5);
    expect(nextSequence(2 ** 31 - 2, 2)).toBe(0);
    expect(nextSequence(2 ** 31 - 1, 3)).toBe(2);
  });

  test('is never larger than the sizes that were reckoned for its records', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const reckoned = records.reduce((sum, one) => sum + recordBytes(one), 0);
        expect(encodeBatch(0, records).length - 61).toBeLessThanOrEqual(reckoned);
      }),
    );
  });

  test('fits into what Kafka accepts by default, also when nothing can be compressed', async () => {
    const { seededRandom } = await import('../support/virtual-time.ts');
    const value = seededRandom(1).bytes(limits.forwardBatchBytesMax - 100);
    const { bytes: sent } = await buildBatch([{ key: null, value, timestampMs: 0, headers: [] }]);
    expect(sent.length).toBeLessThanOrEqual(1_048_588);
  });
});

interface Plain {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[];
}

const plain = ({ key, value, timestampMs, headers }: Plain) => ({
  key: key === null ? null : [...key],
  value: value === null ? null : [...value],
  timestampMs,
  headers: headers.map((header) => [Buffer.from(header.name).toString(), [...header.value]]),
});
