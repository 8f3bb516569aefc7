import { expect, test } from 'vitest';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import {
  knownForMs,
  learnRhythm,
  originOf,
  readingsSeen,
  rhythmSize,
  takeSight,
} from '../../../src/anomaly/learned/rhythm.ts';
import { DAY_MS, MINUTE_MS, type Row, rowsOf, START_MS } from './synthetic.ts';

const AT = { doubles: 0, floats: 0 };

function seen(rows: readonly Row[]) {
  const state = newSeriesState(rhythmSize);
  const sights = rows.map(({ timeMs, value }) => {
    const sight = { timeMs: 0, value: 0, elapsedMs: 0, isAfterGap: false };
    takeSight(state, AT, timeMs, value, sight);
    learnRhythm(state, AT, value, sight);
    return sight;
  });
  return { state, sights };
}

test('values are counted from the first one', () => {
  const { state, sights } = seen(rowsOf(3, MINUTE_MS, (_, index) => 1e12 + index));
  expect(sights.map(({ value }) => value)).toEqual([0, 1, 2]);
  expect(originOf(state, AT)).toBe(1e12);
  expect(readingsSeen(state, AT)).toBe(3);
  expect(knownForMs(state, AT, START_MS + DAY_MS)).toBe(DAY_MS);
});

test('values that are too far away to be told apart are all the same, and finite', () => {
  const { sights } = seen(
    rowsOf(3, MINUTE_MS, (_, index) => [-Number.MAX_VALUE, Number.MAX_VALUE, 1e308][index] ?? 0),
  );
  expect(sights.map(({ value }) => value)).toEqual([0, 1e30, 1e30]);
});

test('a pause far longer than usual is a gap, of slow series and fast ones', () => {
  for (const stepMs of [100, MINUTE_MS, DAY_MS]) {
    const rows = rowsOf(100, stepMs, () => 0).map((row, index) => ({
      ...row,
      timeMs: row.timeMs + (index < 50 ? 0 : 30 * stepMs) + (index < 80 ? 0 : 5 * stepMs),
    }));
    expect(seen(rows).sights.flatMap(({ isAfterGap }, index) => (isAfterGap ? [index] : []))).toEqual([50]);
  }
});

test('a series of bursts has no gaps once its rhythm is known', () => {
  const bursts = rowsOf(2000, 1, (_, index) => index).map((row, index) => ({
    ...row,
    timeMs: START_MS + Math.floor(index / 10) * 10 * MINUTE_MS + (index % 10) * 1000,
  }));
  expect(
    seen(bursts)
      .sights.slice(1000)
      .some(({ isAfterGap }) => isAfterGap),
  ).toBe(false);
});

test('time that goes back counts as none', () => {
  const rows = [0, 5, 3, 4].map((minutes) => ({ timeMs: START_MS + minutes * MINUTE_MS, value: 0 }));
  expect(seen(rows).sights.map(({ elapsedMs }) => elapsedMs / MINUTE_MS)).toEqual([0, 5, 0, 1]);
});
