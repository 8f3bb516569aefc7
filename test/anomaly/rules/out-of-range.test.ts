import { describe, expect, test } from 'vitest';
import { noHints } from '../../../src/anomaly/detection/reading.ts';
import { outOfRangeRule } from '../../../src/anomaly/rules/out-of-range.ts';
import { delayOf, faultyTemperature, findingsOf } from './synthetic-series.ts';

const outAt = (readings: Parameters<typeof findingsOf>[0], hints = noHints): number[] =>
  findingsOf(readings, hints).flatMap((findings, index) =>
    findings.some(({ kind }) => kind === 'out-of-range') ? [index] : [],
  );

describe('limits of the configuration', () => {
  const hints = { ...noHints, min: 10, max: 40 };

  test('are checked from the first reading on', () => {
    const readings = faultyTemperature(1, 0, (reading) => ({ ...reading, value: 9.9 }));
    expect(delayOf('out-of-range', readings, 0, hints)).toBe(0);
  });

  test('are told with the limit that was passed', () => {
    const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value: 41 }));
    const finding = findingsOf(readings, hints)[3000]?.find(({ kind }) => kind === 'out-of-range');
    expect(finding?.words).toEqual(['41 is above the limit 40']);
    expect(finding?.expected).toEqual({ value: 25, low: 10, high: 40 });
  });

  test('hold as long as the value is beyond, and values within are fine', () => {
    const readings = faultyTemperature(1, 3000, (reading, at) =>
      at < 500 ? { ...reading, value: 41 } : reading,
    );
    expect(outAt(readings, hints)).toEqual(Array.from({ length: 500 }, (_, index) => 3000 + index));
  });
});

describe('without limits', () => {
  test('a value clearly beyond all before is out of range at once, in both directions', () => {
    for (const value of [35, 5]) {
      const readings = faultyTemperature(1, 3000, (reading) => ({ ...reading, value }));
      expect(delayOf('out-of-range', readings, 3000)).toBe(0);
    }
  });

  test('a new normal is one after a while', () => {
    const out = outAt(faultyTemperature(1, 3000, (reading) => ({ ...reading, value: reading.value + 30 })));
    expect(out[0]).toBe(3000);
    expect(out.at(-1)).toBeLessThan(3600);
  });

  test('the margin shrinks while history grows', () => {
    const at = (row: number) => faultyTemperature(1, row, (reading) => ({ ...reading, value: 34.5 }));
    expect(delayOf('out-of-range', at(3000), 3000)).toBe(0);
    expect(delayOf('out-of-range', at(40), 40)).toBeGreaterThanOrEqual(0);
    expect(outOfRangeRule.silencedBy).toEqual([]);
  });

  test('a value a little beyond the range is none', () => {
    expect(
      outAt(faultyTemperature(1, 3000, (reading) => ({ ...reading, value: reading.value + 1.5 }))),
    ).toEqual([]);
  });
});
