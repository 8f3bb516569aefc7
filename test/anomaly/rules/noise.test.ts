import { expect, test } from 'vitest';
import { noiseRule } from '../../../src/anomaly/rules/noise.ts';
import { alertsOf, delayOf, faultyTemperature } from './synthetic-series.ts';

test('noise of four times what is usual is found within twenty readings, in most of many series', () => {
  const delays = Array.from({ length: 9 }, (_, seed) =>
    delayOf(
      'noise-up',
      faultyTemperature(seed, 3000, (reading, _at, random) => ({
        ...reading,
        value: reading.value + 2.8 * (random.next() - 0.5),
      })),
      3000,
    ),
  ).sort((a, b) => a - b);
  expect(delays[4]).toBeLessThanOrEqual(20);
  expect(delays[8]).toBeLessThan(Number.POSITIVE_INFINITY);
});

test('noise that is gone is found within a hundred readings', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) => ({ ...reading, value: 20 + at * 1e-4 }));
  expect(delayOf('noise-down', readings, 3000)).toBeLessThanOrEqual(100);
});

test('noise that lasts is one alert', () => {
  const noisy = faultyTemperature(1, 3000, (reading, at, random) =>
    at < 200 ? { ...reading, value: reading.value + 2.8 * (random.next() - 0.5) } : reading,
  );
  expect(alertsOf(noisy).get('noise-up')).toBe(1);
});

test('a spike is no noise', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) =>
    at === 0 ? { ...reading, value: 500 } : reading,
  );
  expect(alertsOf(readings).get('noise-up')).toBeUndefined();
  expect(noiseRule.silencedBy).toEqual([]);
});
