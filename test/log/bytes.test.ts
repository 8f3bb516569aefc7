import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter, varintBytes } from '../../src/log/encoding/bytes.ts';

const written = (write: (writer: ByteWriter) => void): Buffer => {
  const writer = new ByteWriter(1);
  write(writer);
  return writer.bytes();
};

test.each([
  [0, '00'],
  [-1, '01'],
  [1, '02'],
  [63, '7e'],
  [-64, '7f'],
  [64, '8001'],
  [300, 'd804'],
  [-300, 'd704'],
  [2 ** 31, '8080808010'],
  [2 ** 53 - 1, 'feffffffffffff1f'],
  [-(2 ** 53 - 1), 'fdffffffffffff1f'],
])('the varint of %d is Kafka’s zigzag %s', (value, hex) => {
  expect(written((writer) => writer.varint(value)).toString('hex')).toBe(hex);
  expect(varintBytes(value)).toBe(hex.length / 2);
});

test('every number that is exact in JavaScript comes back from a varint and an int64', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const bytes = written((writer) => {
        writer.varint(value);
        writer.int64(value);
      });
      const reader = new ByteReader(bytes, 'numbers');
      expect([reader.varint(), reader.int64(), reader.remaining]).toEqual([value, value, 0]);
    }),
  );
});

test('a mix of everything comes back in its order', () => {
  const mix = fc.record({
    small: fc.nat(255),
    short: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    word: fc.integer(),
    unsigned: fc.nat(2 ** 32 - 1),
    block: fc.uint8Array(),
    text: fc.string({ unit: 'grapheme' }),
  });
  fc.assert(
    fc.property(mix, ({ small, short, word, unsigned, block, text }) => {
      const bytes = written((writer) => {
        writer.uint8(small);
        writer.int16(short);
        writer.int32(word);
        writer.uint32(unsigned);
        writer.block(block);
        writer.text(text);
      });
      const reader = new ByteReader(bytes, 'mix');
      expect(reader.uint8()).toBe(small);
      expect(reader.int16()).toBe(short);
      expect(reader.int32()).toBe(word);
      expect(reader.uint32()).toBe(unsigned);
      expect(Uint8Array.from(reader.block())).toEqual(block);
      expect(reader.text()).toBe(text);
      expect(reader.remaining).toBe(0);
    }),
  );
});

test.each<[string, string, (reader: ByteReader) => unknown]>([
  ['a number that is cut off', '0000', (reader) => reader.int32()],
  ['a varint without an end', 'ffffffffffffffffffffff', (reader) => reader.varint()],
  ['a varint that is cut off', '80', (reader) => reader.varint()],
  ['a block longer than what is there', '0000000501', (reader) => reader.block()],
  ['a negative length', '00', (reader) => reader.raw(-1)],
  ['an int64 that JavaScript cannot hold', '7fffffffffffffff', (reader) => reader.int64()],
])('%s is refused and the message says what is malformed', (_, hex, read) => {
  expect(() => read(new ByteReader(Buffer.from(hex, 'hex'), 'thing'))).toThrowError(
    expect.objectContaining({ code: 'unreadable-format', message: expect.stringContaining('thing') }),
  );
});
