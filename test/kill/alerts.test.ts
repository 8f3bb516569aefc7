import { expect, test } from 'vitest';
import { alertsUnderKills } from './alerts-under-kills.ts';

test('thirty SIGKILLs leave no alert out and tell none twice: a gateway that is not killed tells the same', async () => {
  const { told, expected, readings } = await alertsUnderKills(30, 400);
  expect(readings).toBeGreaterThanOrEqual(31 * 400);
  expect(told).toEqual(expected);
  expect(new Set(told).size).toBe(told.length);
  // Otherwise this test has proved little.
  expect(told.length).toBeGreaterThan(100);
});
