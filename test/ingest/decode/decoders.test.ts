import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type DecoderName, decoders, namesOf } from '../../../src/edge/registry.ts';
import type { Decoded, Decoder } from '../../../src/ingest/decode/decoder.ts';
import { brokenPromise } from './contract.ts';
import { samplesOf } from './samples.ts';

/** What the decoder makes of a frame, if it keeps its promises with it. */
function decodedWell(name: DecoderName, decode: Decoder, frame: Uint8Array): Decoded {
  expect(brokenPromise(decode, frame, name === 'raw')).toBeNull();
  return decode(frame);
}

describe.each(namesOf(decoders))('the decoder %s', (name) => {
  const samples = samplesOf(name);
  const [first] = samples;
  if (first === undefined) throw new Error(`there is no capture in test/samples/${name}`);

  test.each(samples)('decodes the capture $name: $what', ({ decode, frame, value, problem }) => {
    const decoded = decodedWell(name, decode, frame);
    if (name === 'raw') expect(decoded).toEqual({ value: frame });
    else if (problem !== undefined) expect(decoded).toEqual({ problem });
    else expect('value' in decoded && JSON.parse(Buffer.from(decoded.value).toString())).toEqual(value);
  });

  test('gives a problem or other values for a capture that is cut, anywhere', () => {
    for (const { decode, frame } of samples)
      for (let length = 0; length < frame.length; length += 1)
        decodedWell(name, decode, frame.subarray(0, length));
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
        decodedWell(name, decode, bytes);
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
        decodedWell(name, decode, bytes);
        bytes.set(frame);
        decodedWell(name, decode, bytes);
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
