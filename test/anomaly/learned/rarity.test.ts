import { expect, test } from 'vitest';
import { rarityWords } from '../../../src/anomaly/learned/rarity.ts';
import { DAY_MS, MINUTE_MS } from './synthetic.ts';

test('says how often as much was seen, in a unit for people', () => {
  expect(rarityWords({ reached: 0, spanMs: 9 * DAY_MS })).toBe('the largest in 9 days');
  expect(rarityWords({ reached: 4, spanMs: 40 * DAY_MS })).toBe('about once in 10 days');
  expect(rarityWords({ reached: 4, spanMs: 4 * DAY_MS })).toBe('about once in 24 hours');
  expect(rarityWords({ reached: 0, spanMs: 90 * MINUTE_MS })).toBe('the largest in 2 hours');
  expect(rarityWords({ reached: 3, spanMs: 90 * MINUTE_MS })).toBe('about once in 30 minutes');
});
