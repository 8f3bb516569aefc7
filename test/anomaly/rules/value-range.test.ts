import { describe, expect, test } from 'vitest';
import { allDetectors } from '../../../src/anomaly/all-detectors.ts';
import { noHints, type SeriesHints } from '../../../src/anomaly/detection/reading.ts';
import type { SeriesSettings } from '../../../src/anomaly/series/series-settings.ts';
import { faultyTemperature } from './synthetic-series.ts';

const settingsOf = (hints: Partial<SeriesHints> = {}): SeriesSettings => ({
  hints: { ...noHints, ...hints },
  unit: null,
  detect: 'all',
});

function learned(settings: SeriesSettings, count: number) {
  const readings = faultyTemperature(3, count, (reading) => reading).slice(0, count);
  const state = allDetectors.newState();
  for (const reading of readings) allDetectors.observe(state, reading, settings);
  const timeMs = readings.at(-1)?.timeMs ?? 0;
  return { state, timeMs, range: allDetectors.valueRange(state, timeMs, settings) };
}

/** Whether a value that comes next is told as out of range; the state stays as it is. */
function isOut(state: ReturnType<typeof allDetectors.newState>, value: number, timeMs: number): boolean {
  const copy = allDetectors.restoredState(state.bytes.slice());
  if (copy === undefined) throw new Error('the state cannot be restored');
  const findings = allDetectors.observe(copy, { timeMs, value, sourceTimeMs: null }, settingsOf());
  return findings.some(({ kind }) => kind === 'out-of-range');
}

describe('the range of a series', () => {
  test.each([200, 3000])('after %i readings is where the detector draws the line', (count) => {
    const { state, timeMs, range } = learned(settingsOf(), count);
    const { low, high } = range;
    if (low === null || high === null) throw new Error('nothing was learned');
    for (const [value, expected] of [
      [low - 0.01, true],
      [low + 0.01, false],
      [high - 0.01, false],
      [high + 0.01, true],
    ] as const)
      expect(isOut(state, value, timeMs)).toBe(expected);
  });

  test('is not known at first', () => {
    expect(learned(settingsOf(), 1).range).toEqual({ low: null, high: null });
  });

  test('is that of the configuration where this is narrower, from the first reading on', () => {
    expect(learned(settingsOf({ min: -5 }), 1).range).toEqual({ low: -5, high: null });
    const { range } = learned(settingsOf({ min: -1000, max: 20 }), 3000);
    expect(range.high).toBe(20);
    expect(range.low).toBeGreaterThan(-1000);
  });

  test('is looked at without a change', () => {
    const { state, timeMs } = learned(settingsOf(), 500);
    const before = state.bytes.slice();
    allDetectors.valueRange(state, timeMs, settingsOf());
    expect(state.bytes).toEqual(before);
  });
});
