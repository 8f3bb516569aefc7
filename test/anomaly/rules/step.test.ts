import { expect, test } from 'vitest';
import { stepRule } from '../../../src/anomaly/rules/step.ts';
import { delayOf, faultyTemperature, findingsOf } from './synthetic-series.ts';

const kindsAt = (readings: Parameters<typeof findingsOf>[0], row: number): string[] =>
  (findingsOf(readings)[row] ?? []).map(({ kind }) => kind);

test('a step larger than any before is a rate at once, within the range, too', () => {
  const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value: 40 - reading.value }));
  expect(delayOf('rate', readings, 3000)).toBe(0);
  const finding = findingsOf(readings)[3000]?.find(({ kind }) => kind === 'rate');
  expect(finding?.expected?.high).toBeGreaterThan(finding?.expected?.value ?? Number.POSITIVE_INFINITY);
});

test('a value that jumps and comes back is a spike when it is back', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) =>
    at < 2 ? { ...reading, value: reading.value - 4 } : reading,
  );
  expect(kindsAt(readings, 3000)).toContain('rate');
  expect(kindsAt(readings, 3001)).not.toContain('spike');
  expect(kindsAt(readings, 3002)).toContain('spike');
});

test('a spike of the same size is found again', () => {
  const readings = faultyTemperature(1, 3000, (reading, at) =>
    at % 500 === 0 ? { ...reading, value: reading.value + 4 } : reading,
  );
  expect([1, 501].map((at) => kindsAt(readings, 3000 + at).includes('spike'))).toEqual([true, true]);
});

test('a step after a pause is measured by the time that has passed', () => {
  const step = (elapsedMs: number) =>
    faultyTemperature(1, 3000, (reading) => ({
      ...reading,
      timeMs: reading.timeMs + elapsedMs,
      value: 40 - reading.value,
    }));
  expect(kindsAt(step(0), 3000)).toContain('rate');
  expect(kindsAt(step(6 * 3_600_000), 3000)).not.toContain('rate');
  expect(stepRule.silencedBy).toEqual(['out-of-range']);
});
