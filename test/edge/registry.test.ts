import { expect, test } from 'vitest';
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
  const fixed = (gap: number) => readPauseMsOf({ type: 'fixed', length: 9, gap });
  expect(readPauseMsOf({ type: 'sds011' })).toBe(20);
  expect([fixed(100), fixed(10), fixed(1)]).toEqual([20, 2, 0]);
});
