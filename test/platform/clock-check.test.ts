import { expect, test } from 'vitest';
import { isClockSet, systemTimeService } from '../../src/platform/clock-check.ts';

test.each([
  ['set', undefined, true],
  ['set', false, true],
  ['unset', undefined, false],
  ['unset', false, false],
  ['unset', true, true],
  ['absent', undefined, true],
  ['absent', false, false],
  ['absent', true, true],
] as const)('timesyncd %s and timedatectl %s: %s', async (timesyncd, timedatectl, expected) => {
  const service = { timesyncd: async () => timesyncd, timedatectl: async () => timedatectl };
  expect(await isClockSet(service)).toBe(expected);
});

test('this machine gives an answer', async () => {
  expect(typeof (await isClockSet(systemTimeService))).toBe('boolean');
});
