import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../src/anomaly/detection/reading.ts';
import { sentinelRule } from '../../../src/anomaly/rules/sentinel.ts';
import { delayOf, faultyTemperature, findingsOf, minuteMs, startMs } from './synthetic-series.ts';

const readingsOf = (values: readonly number[]): Reading[] =>
  values.map((value, index) => ({ timeMs: startMs + index * minuteMs, value, sourceTimeMs: null }));

const sentinelsIn = (values: readonly number[]): number[] =>
  findingsOf(readingsOf(values)).flatMap((findings, index) =>
    findings.some(({ kind }) => kind === 'sentinel') ? [index] : [],
  );

const around = (middle: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => middle + 3 * Math.sin(index / 5));

describe.each([-127, 85, 65535, -9999, Number.NaN, Number.POSITIVE_INFINITY, -3.4028234663852886e38])(
  '%d',
  (value) => {
    test('is found at once, and nothing else is found of it', () => {
      const readings = faultyTemperature(1, 3000, (reading, at) =>
        at < 20 ? { ...reading, value } : reading,
      );
      expect(delayOf('sentinel', readings, 3000)).toBe(0);
      const kinds = findingsOf(readings).flatMap((findings) => findings.map(({ kind }) => kind));
      expect(new Set(kinds)).toEqual(new Set(['sentinel']));
      expect(kinds).toHaveLength(20);
    });
  },
);

test('a value where the series has been is a measurement', () => {
  expect(sentinelsIn([...around(84, 200), 85, 85.2, 85])).toEqual([]);
  expect(sentinelsIn([...around(83.9, 50).map(Math.round), 85, 85])).toEqual([]);
});

test('a series that comes to such a value step by step means it', () => {
  expect(sentinelsIn(Array.from({ length: 200 }, (_, index) => index))).toEqual([]);
});

test('no value but a sentinel is one, however far away', () => {
  expect(sentinelsIn([...around(20, 200), -126])).toEqual([]);
});

test('a sensor that is switched on with such a value does not teach it', () => {
  expect(sentinelsIn([85, ...around(20, 100), 85])).toEqual([0, 101]);
});

test('its words tell what there was before, if there was anything', () => {
  const wordsAt = (values: readonly number[], row: number) => findingsOf(readingsOf(values))[row]?.[0]?.words;
  expect(wordsAt([20, 21, 20, -127], 3)).toEqual([
    '-127 stands for no measurement',
    'before, there were 20 to 21',
  ]);
  expect(wordsAt([85, 85, 85, 85, -127], 4)).toEqual(['-127 stands for no measurement']);
});

test('a series that begins with more of them means them', () => {
  expect(sentinelsIn(Array.from({ length: 100 }, () => 85))).toEqual([0, 1, 2]);
  expect(sentinelRule.consequence).toBe('no-measurement');
});
