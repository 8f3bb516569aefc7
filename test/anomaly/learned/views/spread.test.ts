import { expect, test } from 'vitest';
import {
  centreOf,
  clippedTo,
  countOf,
  deviationOf,
  learnSpread,
  spreadDoubles,
} from '../../../../src/anomaly/learned/views/spread.ts';

const learned = (values: readonly number[], rate = 0.01): Float64Array => {
  const doubles = new Float64Array(1 + spreadDoubles);
  for (const value of values) learnSpread(doubles, 1, value, rate);
  return doubles;
};

test('the centre of the first values is their mean', () => {
  const doubles = learned([1, 2, 3, 4, 5]);
  expect(centreOf(doubles, 1)).toBeCloseTo(3);
  expect(countOf(doubles, 1)).toBe(5);
});

test('a spread forgets: after long it is that of the last values', () => {
  const values = Array.from({ length: 2000 }, (_, index) => (index < 1000 ? 0 : 100) + (index % 2));
  expect(centreOf(learned(values), 1)).toBeCloseTo(100.5, 0);
  expect(deviationOf(learned(values), 1)).toBeCloseTo(0.5, 0);
});

test('a wild value moves it no further than ten deviations would', () => {
  const usual = Array.from({ length: 500 }, (_, index) => index % 2);
  const doubles = learned([...usual, 1e30]);
  expect(centreOf(doubles, 1)).toBeLessThan(0.6);
  expect(clippedTo(doubles, 1, 1e30)).toBeLessThan(10);
  expect(clippedTo(doubles, 1, 0.3)).toBe(0.3);
});
