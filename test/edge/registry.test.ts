import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { decoderOf, framerOf, readPauseMsOf } from '../../src/edge/registry.ts';
import { framingSamples } from '../support/framing-samples.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

test.each(framingSamples)('each port gets a framer of its own: $name', ({ framing }) => {
  const [one, other] = [framerOf(framing), framerOf(framing)];
  one.push(bytesOf('/a'), 0);
  expect(other.interrupt()).toEqual([]);
});

test('a decoder is made with its settings', () => {
  const decode = decoderOf({ type: 'csv', columns: ['t', 'h'], separator: ';' });
  expect(decode(bytesOf('21.5;40'))).toEqual({ value: bytesOf('{"t":21.5,"h":40}') });
});

test('bytes are collected for as long as the framing allows', () => {
  const fixed = (gap: number) => readPauseMsOf({ type: 'fixed', length: 9, gap }, 9600);
  expect(readPauseMsOf({ type: 'sds011' }, 9600)).toBe(50);
  expect([fixed(1000), fixed(100), fixed(10), fixed(1)]).toEqual([50, 25, 2, 0]);
});

test('bytes are collected for no longer than the system holds them', () => {
  for (const baud of [limits.serialBaudMin, 115_200, 921_600, 2_000_000, limits.serialBaudMax]) {
    const bytes = (readPauseMsOf({ type: 'sds011' }, baud) / 1000) * (baud / 10);
    expect(bytes).toBeLessThanOrEqual(limits.serialReadBytesMax / 2);
  }
});
