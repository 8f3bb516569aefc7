import { describe, expect, test } from 'vitest';
import { levelRule } from '../../../src/anomaly/rules/level.ts';
import { alertsOf, dayMs, delayOf, faultyTemperature, findingsOf, minuteMs } from './synthetic-series.ts';

describe('a level shift', () => {
  test('by a third of the range is found within ten readings', () => {
    for (const shift of [-4, 4]) {
      const readings = faultyTemperature(1, 3000, (reading) => ({
        ...reading,
        value: reading.value + shift,
      }));
      expect(delayOf('level-shift', readings, 3000)).toBeLessThanOrEqual(10);
    }
  });

  test('says what was expected', () => {
    const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value: reading.value + 4 }));
    const delay = delayOf('level-shift', readings, 3000);
    const finding = findingsOf(readings)[3000 + delay]?.find(({ kind }) => kind === 'level-shift');
    expect(finding?.words.join()).toMatch(/ instead of /);
    expect(finding?.expected?.low).toBeLessThan(finding?.expected?.high ?? 0);
  });

  test('is the new level after some days', () => {
    const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value: reading.value + 4 }));
    const last = findingsOf(readings).findLastIndex((findings) => findings.length > 0);
    expect(last).toBeLessThan(3000 + (10 * dayMs) / (5 * minuteMs));
  });
});

test('a value at night that is usual at noon is unusual at this time of day', () => {
  // From three in the morning, when it is coldest, on: half a day too early.
  const readings = faultyTemperature(1, 288 * 8 + 216, (reading, at) =>
    at < 40 ? { ...reading, value: 15 + 8 * Math.min(at / 20, 1) } : reading,
  );
  const found = findingsOf(readings).flat();
  expect(found.some(({ words }) => words.join().includes('at this time of day'))).toBe(true);
});

test('a slow drift is a drift, not a shift', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) => ({
    ...reading,
    value: reading.value + at * 0.05,
  }));
  expect(delayOf('drift', readings, 3000)).toBeLessThanOrEqual(80);
  expect(delayOf('level-shift', readings, 3000)).toBeGreaterThan(80);
});

test('a single spike is no level', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) =>
    at === 0 ? { ...reading, value: 500 } : reading,
  );
  const alerts = alertsOf(readings);
  expect(alerts.get('level-shift')).toBeUndefined();
  expect(alerts.get('drift')).toBeUndefined();
  expect(levelRule.consequence).toBe('none');
});
