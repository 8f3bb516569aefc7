import { expect, test } from 'vitest';
import { noHints } from '../../../src/anomaly/detection/reading.ts';
import { stuckRule } from '../../../src/anomaly/rules/stuck.ts';
import { SimRandom } from '../../support/sim-random.ts';
import {
  delayOf,
  faultyTemperature,
  findingsOf,
  healthySeries,
  minuteMs,
  startMs,
} from './synthetic-series.ts';

const kinds = (found: ReturnType<typeof findingsOf>[number]): string[] => found.map(({ kind }) => kind);

test('a sensor that never repeats a value is stuck after eight readings', () => {
  const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value: 21.5 }));
  const delay = delayOf('stuck', readings, 3000);
  expect(delay).toBeLessThanOrEqual(10);
  const finding = findingsOf(readings)[3000 + delay]?.find(({ kind }) => kind === 'stuck');
  expect(finding?.words).toEqual([
    `the same value 21.5 for ${delay + 1} readings`,
    'it changed at every one before',
  ]);
});

test('it is found as long as it lasts, and no longer', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) =>
    at < 50 ? { ...reading, value: 21.5 } : reading,
  );
  const found = findingsOf(readings).map((findings) => kinds(findings).includes('stuck'));
  expect(found.slice(3010, 3050)).not.toContain(false);
  expect(found.slice(3050)).not.toContain(true);
});

test('a sensor in coarse steps is allowed the runs it has had, and twice that is stuck', () => {
  const make = healthySeries['a temperature in steps of half a degree'];
  const readings = make?.(new SimRandom(3), 6000) ?? [];
  let run = 0;
  let longest = 0;
  readings.forEach(({ value }, index) => {
    run = value === readings[index - 1]?.value ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  expect(longest).toBeGreaterThan(20);
  const stuck = readings.map((reading, index) => (index < 5000 ? reading : { ...reading, value: 20.5 }));
  expect(delayOf('stuck', readings, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(delayOf('stuck', stuck, 5000)).toBeLessThanOrEqual(2 * longest + 1);
});

test('where a value always lasts equally long, one that lasts a tenth longer is stuck', () => {
  const wave = (until: number) =>
    Array.from({ length: 5000 }, (_, index) => ({
      timeMs: startMs + 5 * minuteMs * index,
      value: index < until && index % 200 < 100 ? 80 : 20,
      sourceTimeMs: null,
    }));
  expect(delayOf('stuck', wave(5000), 0)).toBe(Number.POSITIVE_INFINITY);
  // The last plateau of 20 begins at 4100, and was to end at 4200.
  expect(delayOf('stuck', wave(4200), 4200)).toBeLessThanOrEqual(11);
});

test('a series that has never changed is not stuck', () => {
  const constant = healthySeries['a constant']?.(new SimRandom(1), 5000) ?? [];
  expect(delayOf('stuck', constant, 0)).toBe(Number.POSITIVE_INFINITY);
});

test('sensitivity shifts when a value is stuck', () => {
  const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value: 21.5 }));
  const low = delayOf('stuck', readings, 3000, { ...noHints, sensitivity: 'low' });
  const high = delayOf('stuck', readings, 3000, { ...noHints, sensitivity: 'high' });
  expect(high).toBeLessThan(low);
  expect(stuckRule.consequence).toBe('none');
});
