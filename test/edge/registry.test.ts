import { expect, test } from 'vitest';
import { decoders, framings, namesOf } from '../../src/edge/registry.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each(namesOf(framings))('each port gets a framer of its own: %s', (name) => {
  const [one, other] = [framings[name](), framings[name]()];
  one.push(bytesOf('begun'), 0);
  expect(other.interrupt()).toBeNull();
});

test.each(namesOf(decoders))('a decoder gives a JSON object or a reason: %s', (name) => {
  for (const text of ['', '{}', '{"a":1}', 'text', '\0']) {
    const decoded = decoders[name](bytesOf(text));
    if ('value' in decoded) expect(JSON.parse(new TextDecoder().decode(decoded.value))).toBeTypeOf('object');
    else expect(decoded.problem).toMatch(/^not-/);
  }
});
