import { expect, test } from 'vitest';
import { RecentValues } from '../../../src/anomaly/series/recent-values.ts';
import { limits } from '../../../src/core/limits.ts';

test('a series that was never read has no values', () => {
  const recent = new RecentValues();
  expect(recent.list()).toEqual([]);
  expect(recent.count).toBe(0);
  expect(recent.last).toBeNaN();
});

test('the newest values are kept, the oldest of them first, and the last one exactly', () => {
  const recent = new RecentValues();
  const count = limits.seriesRecentMax + 7;
  for (let value = 1; value <= count; value += 1) recent.add(value);
  expect(recent.list()).toEqual(Array.from({ length: limits.seriesRecentMax }, (_, index) => index + 8));
  expect(recent.count).toBe(count);
  recent.add(123_456_789.012);
  expect(recent.last).toBe(123_456_789.012);
});
