import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newSeriesState, type SeriesState } from '../../../src/anomaly/detection/series-state.ts';
import {
  judge,
  learn,
  mixturePlaces,
  mixtureSize,
  newJudgement,
  resetMixture,
} from '../../../src/anomaly/learned/mixture.ts';
import { daily, MINUTE_MS, type Row, series } from './synthetic.ts';

const places = mixturePlaces({ doubles: 0, floats: 0 });

/** Scores and surprises, so that nothing the de-bounce holds back goes unseen. */
function judged(state: SeriesState, rows: readonly Row[]): number[] {
  const judgement = newJudgement();
  return rows.flatMap(({ timeMs, value }) => {
    judge(state, places, timeMs, value, judgement);
    learn(state, places, value, judgement);
    return [judgement.score, judgement.surprise, ...judgement.scores];
  });
}

describe.each(Object.entries(series))('of a series that is %s', (_, rows) => {
  const scores = judged(newSeriesState(mixtureSize), rows);

  test('scores are from 0 to 1', () => {
    expect(scores.every(Number.isFinite)).toBe(true);
    expect(scores.filter((_score, index) => index % 8 === 0).every((score) => score >= 0 && score < 1)).toBe(
      true,
    );
  });

  test('scores stay the same, whatever comes after them', () => {
    const others = Object.values(series).filter((other) => other !== rows);
    for (const [index, other] of others.entries()) {
      const cut = 1 + ((index * 131) % rows.length);
      const changed = judged(newSeriesState(mixtureSize), [...rows.slice(0, cut), ...other]);
      expect(changed.slice(0, 8 * cut)).toEqual(scores.slice(0, 8 * cut));
    }
  });

  test('scores are the same bit for bit if the state is saved and restored at any reading', () => {
    const saved = newSeriesState(mixtureSize);
    const restored = newSeriesState(mixtureSize);
    const again = rows.flatMap((row, index) => {
      const [from, into] = index % 2 === 0 ? [saved, restored] : [restored, saved];
      into.bytes.fill(0xff);
      into.bytes.set(from.bytes);
      return judged(into, [row]);
    });
    expect(again).toEqual(scores);
  });

  test('scores do not depend on other series that are judged in between', () => {
    const state = newSeriesState(mixtureSize);
    const other = newSeriesState(mixtureSize);
    const disturbing = series['heavy-tailed'] ?? [];
    const between = rows.flatMap((row, index) => {
      judged(other, disturbing.slice(index, index + 1));
      return judged(state, [row]);
    });
    expect(between).toEqual(scores);
  });
});

test('any finite readings give scores from 0 to 1', () => {
  const reading = fc.record({
    timeMs: fc.integer({ min: 0, max: 4e12 }),
    value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 })),
  });
  fc.assert(
    fc.property(fc.array(reading, { minLength: 50, maxLength: 200 }), (rows) =>
      judged(newSeriesState(mixtureSize), rows).every((score) => Number.isFinite(score) && score >= 0),
    ),
    { numRuns: 50, seed: 1 },
  );
});

test('a series elsewhere in a larger state is judged the same', () => {
  const rows = daily(300, 5 * MINUTE_MS, 3);
  const start = { doubles: 5, floats: 6 };
  const state = newSeriesState({
    doubles: start.doubles + mixtureSize.doubles,
    floats: start.floats + mixtureSize.floats,
  });
  state.bytes.fill(0xff);
  resetMixture(state, start);
  const judgement = newJudgement();
  const elsewhere = rows.map(({ timeMs, value }) => {
    judge(state, mixturePlaces(start), timeMs, value, judgement);
    learn(state, mixturePlaces(start), value, judgement);
    return judgement.surprise;
  });
  const here = judged(newSeriesState(mixtureSize), rows).filter((_, index) => index % 8 === 1);
  expect(elsewhere).toEqual(here);
  expect(state.bytes.subarray(0, 40).every((byte) => byte === 0xff)).toBe(true);
});

test('a step is told once, not at each reading after it', () => {
  const rows = daily(2000, 5 * MINUTE_MS, 4).map((row, index) => ({
    ...row,
    value: row.value + (index < 1500 ? 0 : 30),
  }));
  const scores = judged(newSeriesState(mixtureSize), rows).filter((_, index) => index % 8 === 0);
  const after = scores.slice(1500, 1600);
  expect(after[0]).toBeGreaterThan(0.6);
  expect(after.filter((score) => score > 0.5).length).toBeLessThan(6);
});

test('a step stands out among the scores of a healthy series', () => {
  const rows = daily(2000, 5 * MINUTE_MS, 5).map((row, index) => ({
    ...row,
    value: row.value + (index < 1500 ? 0 : 10),
  }));
  const scores = judged(newSeriesState(mixtureSize), rows).filter((_, index) => index % 8 === 0);
  expect(Math.max(...scores.slice(1500, 1510))).toBeGreaterThan(1.3 * Math.max(...scores.slice(600, 1500)));
});
