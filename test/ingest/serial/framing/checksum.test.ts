import fc from 'fast-check';
import { expect, test } from 'vitest';
import { namesOf } from '../../../../src/edge/registry.ts';
import { checksums } from '../../../../src/ingest/serial/framing/checksum.ts';
import { crc16Arc } from '../../../support/framing-samples.ts';

const sumOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum + byte, 0);

/** Each as its definition has it, over the bytes alone. */
const plainly: Readonly<Record<keyof typeof checksums, (bytes: Uint8Array) => number>> = {
  'sum-8': (bytes) => sumOf(bytes) % 256,
  'negative-sum-8': (bytes) => (256 - (sumOf(bytes) % 256)) % 256,
  'sum-16': (bytes) => sumOf(bytes) % 65536,
  'xor-8': (bytes) => bytes.reduce((all, byte) => all ^ byte, 0),
  'crc-16/arc': (bytes) => crc16Arc(bytes),
  'crc-16/modbus': (bytes) => crc16Arc(bytes, 0xffff),
};

/** Over a stretch of a stream, by the states before and after it. */
function stretched(name: keyof typeof checksums, bytes: Uint8Array, from: number, to: number): number {
  const { step, between } = checksums[name];
  const states = [0];
  for (const byte of bytes) states.push(step(states.at(-1) ?? 0, byte));
  return between(states[from] ?? 0, states[to] ?? 0, to - from);
}

test.each(namesOf(checksums))('%s of any stretch of a stream is that of its bytes alone', (name) => {
  const stream = fc.uint8Array({ maxLength: 600 });
  fc.assert(
    fc.property(stream, fc.nat(), fc.nat(), (bytes, one, other) => {
      const [from = 0, to = 0] = [one, other]
        .map((place) => place % (bytes.length + 1))
        .sort((before, after) => before - after);
      expect(stretched(name, bytes, from, to)).toBe(plainly[name](bytes.subarray(from, to)));
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['crc-16/arc', 0xbb3d],
  ['crc-16/modbus', 0x4b37],
] as const)('%s has the check value of the catalogue of CRCs', (name, check) => {
  const bytes = Uint8Array.from(Buffer.from('123456789'));
  expect(stretched(name, bytes, 0, 9)).toBe(check);
  const shifted = Uint8Array.from(Buffer.from('….123456789.'));
  expect(stretched(name, shifted, 4, 13)).toBe(check);
});

test('a sum over more than a word begins anew', () => {
  expect(stretched('sum-16', new Uint8Array(1000).fill(0xff), 100, 1000)).toBe((900 * 255) % 65536);
});
