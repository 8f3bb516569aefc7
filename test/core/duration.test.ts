import { expect, test } from 'vitest';
import { durationText } from '../../src/core/duration.ts';

test.each([
  [0, '0 s'],
  [0.9, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [61, '1 min 1 s'],
  [7380, '2 h 3 min'],
  [3661, '1 h 1 min'],
  [3605, '1 h'],
  [90_000, '1 d 1 h'],
  [40 * 86_400, '40 d'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
