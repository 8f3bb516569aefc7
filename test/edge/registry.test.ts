import { expect, test } from 'vitest';
import { decoderOf, framerOf } from '../../src/edge/registry.ts';
import { framingSamples } from '../support/framing-samples.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each(framingSamples)('each port gets a framer of its own: $name', ({ framing }) => {
  const [one, other] = [framerOf(framing), framerOf(framing)];
  one.push(bytesOf('/a'), 0);
  expect(other.interrupt()).toEqual([]);
});

test('a decoder is made with its settings', () => {
  const decode = decoderOf({ type: 'csv', columns: ['t', 'h'], separator: ';' });
  expect(decode(bytesOf('21.5;40'))).toEqual({ value: bytesOf('{"t":21.5,"h":40}') });
});
