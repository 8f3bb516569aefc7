import { expect, test } from 'vitest';
import { decoderOf, framings, namesOf } from '../../src/edge/registry.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each(namesOf(framings))('each port gets a framer of its own: %s', (name) => {
  const [one, other] = [framings[name](), framings[name]()];
  one.push(bytesOf('begun'), 0);
  expect(other.interrupt()).toBeNull();
});

test('a decoder is made with its settings', () => {
  const decode = decoderOf({ type: 'csv', columns: ['t', 'h'], separator: ';' });
  expect(decode(bytesOf('21.5;40'))).toEqual({ value: bytesOf('{"t":21.5,"h":40}') });
});
