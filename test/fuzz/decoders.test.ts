import { expect, test } from 'vitest';
import { decoders, namesOf } from '../../src/edge/registry.ts';
import { fuzzDecoder } from './decoder-fuzz.ts';

test.each(namesOf(decoders))('the decoder %s keeps its promises with thousands of damaged frames', (name) => {
  expect(fuzzDecoder(name, 1, 2_000)).toEqual([]);
});
