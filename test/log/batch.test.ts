import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../src/core/record.ts';
import { batchHeaderBytes, decodeBatch, encodeBatch, readBatchHeader } from '../../src/log/encoding/batch.ts';
import { crc32c } from '../../src/log/encoding/crc32c.ts';

const record = (more: Partial<LogRecord> = {}): LogRecord => ({
  key: Buffer.from('k'),
  value: Buffer.from('v2'),
  timestampMs: 1_700_000_000_000,
  headers: [],
  ...more,
});

const two = [
  record({ headers: [{ name: 'h', value: Buffer.from('x') }] }),
  record({ key: null, value: null, timestampMs: 1_699_999_999_999 }),
];

// Field by field from Kafka's documentation, "Record Batch" and "Record".
const golden = [
  '0000000000000005', // base offset 5
  '00000046', // length after this field: 49 + 14 + 7 bytes
  'ffffffff', // partition leader epoch: none
  '02', // magic
  '510748af', // CRC-32C of everything below
  '0000', // attributes: no compression, create time, no transaction
  '00000001', // last offset delta
  '0000018bcfe56800', // base timestamp 1,700,000,000,000
  '0000018bcfe56800', // max timestamp
  'ffffffffffffffff', // producer id: none
  'ffff', // producer epoch
  'ffffffff', // base sequence
  '00000002', // number of records
  '1a 00 00 00 02 6b 04 7632 02 02 68 02 78', // 13 bytes: attributes, deltas 0 and 0, k, v2, one header h = x
  '0c 00 01 02 01 01 00', // 6 bytes: attributes, timestamp delta -1, offset delta 1, null, null, no header
]
  .join('')
  .replaceAll(' ', '');

/** CRC-32C bit by bit, straight from its polynomial. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 40 }));
const anyRecord: fc.Arbitrary<LogRecord> = fc.record({
  key: bytesOrNull,
  value: bytesOrNull,
  timestampMs: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  headers: fc.array(
    fc.record({
      name: fc.string({ unit: 'grapheme', maxLength: 8 }),
      value: fc.uint8Array({ maxLength: 8 }),
    }),
    { maxLength: 3 },
  ),
});

const plain = (one: LogRecord): LogRecord => ({
  key: one.key && Uint8Array.from(one.key),
  value: one.value && Uint8Array.from(one.value),
  timestampMs: one.timestampMs,
  headers: one.headers.map(({ name, value }) => ({ name, value: Uint8Array.from(value) })),
});

describe('a record batch', () => {
  test('has Kafka’s bytes', () => {
    expect(Buffer.from(encodeBatch(5, two)).toString('hex')).toBe(golden);
    const body = Buffer.from(golden, 'hex').subarray(21);
    expect(slowCrc32c(body).toString(16)).toBe('510748af');
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  test('gives back what went in, with dense offsets', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 52),
        fc.array(anyRecord, { minLength: 1, maxLength: 8 }),
        (baseOffset, records) => {
          const bytes = encodeBatch(baseOffset, records);
          const decoded = decodeBatch(bytes);
          expect(decoded.map(plain)).toEqual(records.map(plain));
          expect(decoded.map(({ offset }) => offset)).toEqual(records.map((_, index) => baseOffset + index));
          expect(readBatchHeader(bytes)).toEqual({
            baseOffset,
            lastOffset: baseOffset + records.length - 1,
            sizeBytes: bytes.length,
            maxTimestampMs: Math.max(...records.map(({ timestampMs }) => timestampMs)),
            recordCount: records.length,
            leaderEpoch: -1,
          });
        },
      ),
    );
  });

  test('is refused after any bit flip below its checksum, and never gives other contents after any other', () => {
    const bytes = Buffer.from(encodeBatch(5, two));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      const at = bit >>> 3;
      // Kafka's checksum does not cover the base offset and the leader epoch; the journal's frame does.
      const uncovered = at < 8 || (at >= 12 && at < 16);
      if (uncovered) expect(decodeBatch(damaged).map(plain)).toEqual(two.map(plain));
      else expect(() => decodeBatch(damaged), `bit ${bit}`).toThrowError(/malformed/);
    }
  });

  test('is refused when it is cut anywhere or longer than it says', () => {
    const bytes = encodeBatch(5, two);
    for (let end = 0; end < bytes.length; end += 1)
      expect(() => decodeBatch(bytes.subarray(0, end))).toThrowError(/malformed/);
    expect(() => decodeBatch(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrowError(/malformed/);
  });

  test('is read when its records are zstd, and refused by name of the codec when they are something else', () => {
    const withCodec = (codec: number, body: Uint8Array): Buffer => {
      const bytes = Buffer.concat([encodeBatch(5, two).subarray(0, batchHeaderBytes), body]);
      bytes.writeInt32BE(bytes.length - 12, 8);
      bytes.writeInt16BE(codec, 21);
      bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
      return bytes;
    };
    const body = encodeBatch(5, two).subarray(batchHeaderBytes);
    expect(decodeBatch(withCodec(4, zstdCompressSync(body))).map(plain)).toEqual(two.map(plain));
    expect(() => decodeBatch(withCodec(2, body))).toThrowError(/codec 2/);
  });

  test('needs a record', () => {
    expect(() => encodeBatch(0, [])).toThrowError(/at least one record/);
  });
});
