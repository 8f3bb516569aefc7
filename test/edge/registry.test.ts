import { expect, test } from 'vitest';
import { decoders, framerOf, namesOf } from '../../src/edge/registry.ts';
import { framingSamples } from '../support/framing-samples.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each(framingSamples)('each port gets a framer of its own: $name', ({ framing }) => {
  const [one, other] = [framerOf(framing), framerOf(framing)];
  one.push(bytesOf('/a'), 0);
  expect(other.interrupt()).toEqual([]);
});

test.each(namesOf(decoders))('a decoder gives a JSON object or a reason: %s', (name) => {
  for (const text of ['', '{}', '{"a":1}', 'text', '\0']) {
    const decoded = decoders[name](bytesOf(text));
    if ('value' in decoded) expect(JSON.parse(new TextDecoder().decode(decoded.value))).toBeTypeOf('object');
    else expect(decoded.problem).toMatch(/^not-/);
  }
});
