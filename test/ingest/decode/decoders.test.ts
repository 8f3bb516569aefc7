import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type DecoderName, decoders, namesOf } from '../../../src/edge/registry.ts';
import type { Decoded, Decoder } from '../../../src/ingest/decode/decoder.ts';
import { samplesOf } from './samples.ts';

const textOf = (decoded: Decoded): string =>
  'value' in decoded ? Buffer.from(decoded.value).toString() : decoded.problem;

/** What every decoder promises, whatever the bytes are. Gives what it has decoded to. */
function expectContract(name: DecoderName, decode: Decoder, frame: Uint8Array): Decoded {
  const before = Uint8Array.from(frame);
  const decoded = decode(frame);
  expect(textOf(decode(frame))).toBe(textOf(decoded));
  expect(Buffer.compare(frame, before)).toBe(0);
  if (!('value' in decoded)) {
    expect(decoded.problem).toMatch(/^[a-z0-9-]+$/);
    return decoded;
  }
  expect(decoded.value.length).toBeLessThanOrEqual(limits.decodedBytesMax);
  if (name === 'raw') return decoded;
  const object: unknown = JSON.parse(Buffer.from(decoded.value).toString());
  expect(object).toBeTypeOf('object');
  expect(object).not.toBeNull();
  expect(Array.isArray(object)).toBe(false);
  return decoded;
}

describe.each(namesOf(decoders))('the decoder %s', (name) => {
  const samples = samplesOf(name);
  const [first] = samples;
  if (first === undefined) throw new Error(`there is no capture in test/samples/${name}`);

  test.each(samples)('decodes the capture $name: $what', ({ decode, frame, value, problem }) => {
    const decoded = expectContract(name, decode, frame);
    if (name === 'raw') expect(decoded).toEqual({ value: frame });
    else if (problem !== undefined) expect(decoded).toEqual({ problem });
    else expect(JSON.parse(textOf(decoded))).toEqual(value);
  });

  test('gives a problem or other values for a capture that is cut, anywhere', () => {
    for (const { decode, frame } of samples)
      for (let length = 0; length < frame.length; length += 1)
        expectContract(name, decode, frame.subarray(0, length));
  });

  test('never throws for a damaged capture, nor for any bytes', () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    const damaged = fc
      .tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([{ frame }, changes]) => {
        const bytes = Uint8Array.from(frame);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.oneof(noise, damaged), ({ decode }, bytes) => {
        expectContract(name, decode, bytes);
      }),
    );
  });

  test('is bounded in what it gives, and in its time, for the largest frames', () => {
    const bytes = new Uint8Array(limits.serialFrameBytesMax);
    const start = performance.now();
    for (const piece of [
      '\u0001',
      '0',
      ' ',
      ',',
      '"',
      '\\',
      'a:1,',
      'a=',
      '(',
      '1-0:1.8.1(1)\n',
      '{"a":',
      'é',
    ]) {
      const unit = Buffer.from(piece);
      for (let at = 0; at < bytes.length; at += unit.length)
        bytes.set(unit.subarray(0, bytes.length - at), at);
      for (const { decode, frame } of samples) {
        expectContract(name, decode, bytes);
        bytes.set(frame);
        expectContract(name, decode, bytes);
      }
    }
    // Quadratic time would take minutes.
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

test('binary captures that lost a byte are no readings', () => {
  for (const name of ['sds011', 'pms5003', 'mh-z19'] as const)
    for (const { decode, frame } of samplesOf(name))
      for (let lost = 0; lost < frame.length; lost += 1)
        expect(decode(frame.filter((_, at) => at !== lost))).toEqual({ problem: 'wrong-length' });
});
