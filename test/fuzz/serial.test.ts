import { expect, test } from 'vitest';
import { serialSubjects, slowFramers } from './serial-fuzz.ts';

/* The short form of `npm run fuzz:serial`, with seeds of its own each time; what it says is enough to play one again. */

test.each(serialSubjects)('$name makes of random chunks what its model says', ({ fuzz }) => {
  expect(fuzz(Math.floor(Math.random() * 1e9), 800)).toEqual([]);
});

test('no framer needs more than linear time, whatever the bytes', () => {
  expect(slowFramers(300_000, () => {})).toEqual([]);
});
