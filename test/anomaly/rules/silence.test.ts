import { describe, expect, test } from 'vitest';
import { noHints, type Reading } from '../../../src/anomaly/detection/reading.ts';
import { sensorFaults } from '../../../src/anomaly/rules/sensor-faults.ts';
import { silenceRule } from '../../../src/anomaly/rules/silence.ts';
import { SimRandom } from '../../support/sim-random.ts';
import {
  begin,
  dayMs,
  findingsOf,
  freshState,
  healthySeries,
  minuteMs,
  startMs,
} from './synthetic-series.ts';

const regular = (count: number, intervalMs = minuteMs): Reading[] =>
  Array.from({ length: count }, (_, index) => ({
    timeMs: startMs + index * intervalMs,
    value: 20 + Math.sin(index),
    sourceTimeMs: null,
  }));

function silentAfter(readings: readonly Reading[], pauseMs: number, hints = noHints): boolean {
  const state = freshState();
  findingsOf(readings, hints, state);
  return pauseMs > sensorFaults.silentAfterMs(state, begin, hints);
}

describe('a timer', () => {
  test('finds a regular series silent after a few intervals, at any interval', () => {
    for (const intervalMs of [2000, minuteMs, dayMs / 24]) {
      expect(silentAfter(regular(400, intervalMs), 3 * intervalMs)).toBe(false);
      expect(silentAfter(regular(400, intervalMs), 6 * intervalMs)).toBe(true);
    }
  });

  test('does not miss a fast series for a moment', () => {
    expect(silentAfter(regular(5000, 1), 4000)).toBe(false);
    expect(silentAfter(regular(5000, 1), 6000)).toBe(true);
  });

  test('allows an irregular series the pauses that it is used to', () => {
    const readings = healthySeries['a temperature at irregular times']?.(new SimRandom(1), 3000) ?? [];
    const pauses = readings.slice(1).map(({ timeMs }, index) => timeMs - (readings[index]?.timeMs ?? 0));
    const longestMs = Math.max(...pauses);
    expect(silentAfter(readings, longestMs)).toBe(false);
    expect(silentAfter(readings, 2 * longestMs)).toBe(true);
  });

  test('follows the interval of the configuration from the second reading on', () => {
    const hints = { ...noHints, intervalMs: 1000 };
    expect(silentAfter(regular(2, minuteMs), 10_000)).toBe(false);
    expect(silentAfter(regular(2, 1000), 10_000, hints)).toBe(true);
    expect(silentAfter(regular(2, 1000), 3000, hints)).toBe(false);
  });

  test('says nothing of a series that is new', () => {
    expect(silentAfter([], dayMs)).toBe(false);
    expect(silentAfter(regular(3), dayMs)).toBe(false);
  });

  test('changes nothing, however often it looks', () => {
    const state = freshState();
    findingsOf(regular(200), noHints, state);
    const before = state.bytes.slice();
    sensorFaults.silentAfterMs(state, begin, noHints);
    expect(sensorFaults.silentAfterMs(state, begin, { ...noHints, intervalMs: 5000 })).toBe(20_000);
    expect(state.bytes).toEqual(before);
  });
});

describe('the next reading', () => {
  const withPause = (pauseMs: number) =>
    regular(500).map((reading, index) =>
      index < 400 ? reading : { ...reading, timeMs: reading.timeMs + pauseMs },
    );

  test('tells of a pause at which no timer looked, and only the next', () => {
    const findings = findingsOf(withPause(dayMs / 24));
    const found = findings.map((of) => of.map(({ kind }) => kind));
    const words = findings[400]?.find(({ kind }) => kind === 'silence')?.words;
    expect(found[400]).toContain('silence');
    expect(words).toEqual(['nothing for 1 h 1 min', 'usually every 1 min']);
    expect(found.flat().filter((kind) => kind === 'silence')).toHaveLength(1);
  });

  test('does not teach that such pauses are usual: the second is found as well', () => {
    const again = regular(1000).map((reading, index) => ({
      ...reading,
      timeMs: reading.timeMs + (index < 400 ? 0 : index < 800 ? 1 : 2) * 2 * 3_600_000,
    }));
    const found = findingsOf(again).flatMap((findings, index) =>
      findings.some(({ kind }) => kind === 'silence') ? [index] : [],
    );
    expect(found).toEqual([400, 800]);
    expect(silenceRule.consequence).toBe('none');
  });
});
