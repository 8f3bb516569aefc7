import { expect, test } from 'vitest';
import { machineLocalTime } from '../../src/platform/local-time.ts';

test('the local time is what the clock on the wall shows, in whatever time zone', () => {
  const first = new Date(2026, 0, 2, 0, 0, 0, 0);
  expect(machineLocalTime(first.getTime())).toEqual({ day: '2026-01-02', msOfDay: 0 });
  expect(machineLocalTime(first.getTime() - 1)).toEqual({ day: '2026-01-01', msOfDay: 24 * 3_600_000 - 1 });
  const other = new Date(2026, 11, 24, 18, 5, 7, 9);
  const msOfDay = ((18 * 60 + 5) * 60 + 7) * 1000 + 9;
  expect(machineLocalTime(other.getTime())).toEqual({ day: '2026-12-24', msOfDay });
});
