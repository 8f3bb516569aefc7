import { expect, test } from 'vitest';
import type { Reading } from '../../../src/anomaly/detection/reading.ts';
import { clockSkewRule } from '../../../src/anomaly/rules/clock-skew.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { findingsOf, minuteMs, startMs } from './synthetic-series.ts';

/** Readings each minute whose stamps are ahead of the record by so much. */
function stamped(count: number, aheadMs: (index: number, random: SimRandom) => number): Reading[] {
  const random = new SimRandom(1);
  return Array.from({ length: count }, (_, index) => {
    const timeMs = startMs + index * minuteMs;
    return { timeMs, value: random.next(), sourceTimeMs: timeMs + aheadMs(index, random) };
  });
}

const skewedAt = (readings: readonly Reading[]): number[] =>
  findingsOf(readings).flatMap((findings, index) =>
    findings.some(({ kind }) => kind === 'clock-skew') ? [index] : [],
  );

test('the way to us and its jitter are no skew', () => {
  expect(skewedAt(stamped(2000, (_, random) => -200 - 3000 * random.next() ** 4))).toEqual([]);
});

test('a stamp from the future is told at once', () => {
  const skewed = skewedAt(stamped(100, (index) => (index >= 50 ? 3_600_000 : -100)));
  expect(skewed[0]).toBe(50);
  expect(skewed.length).toBe(50);
});

test('a clock that is an hour behind from the beginning is told once that is steady', () => {
  const readings = stamped(100, (_, random) => -3_600_000 - 100 * random.next());
  expect(skewedAt(readings)[0]).toBeLessThanOrEqual(6);
  expect(findingsOf(readings)[50]?.[0]?.words).toEqual(["the device's clock is 1 h behind"]);
});

test('a clock that was set back by half a minute is told, until that is usual', () => {
  const skewed = skewedAt(
    stamped(2000, (index, random) => (index >= 500 ? -30_000 : 0) - 100 * random.next()),
  );
  expect(skewed[0]).toBeGreaterThanOrEqual(500);
  expect(skewed[0]).toBeLessThanOrEqual(507);
  expect(skewed.at(-1)).toBeLessThan(1500);
});

test('a backlog that is sent late is no skew', () => {
  const live = stamped(200, () => -100);
  const backlog = Array.from({ length: 100 }, (_, index) => ({
    timeMs: startMs + 300 * minuteMs + index * 50,
    value: index % 7,
    sourceTimeMs: startMs + (200 + index) * minuteMs,
  }));
  expect(skewedAt([...live, ...backlog])).toEqual([]);
  expect(clockSkewRule.silencedBy).toEqual([]);
});
