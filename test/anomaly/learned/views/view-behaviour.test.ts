import { describe, expect, test } from 'vitest';
import { newSeriesState } from '../../../../src/anomaly/detection/series-state.ts';
import { levelOrder } from '../../../../src/anomaly/learned/views/level-order.ts';
import { levelShift } from '../../../../src/anomaly/learned/views/level-shift.ts';
import { predictedValue, predictionScale, residual } from '../../../../src/anomaly/learned/views/residual.ts';
import { shapes } from '../../../../src/anomaly/learned/views/shapes.ts';
import { timeOfDay } from '../../../../src/anomaly/learned/views/time-of-day.ts';
import { valueMix } from '../../../../src/anomaly/learned/views/value-mix.ts';
import { inDeviations, type View } from '../../../../src/anomaly/learned/views/view.ts';
import { SimRandom } from '../../../support/sim-random.ts';
import { DAY_MS, daily, deviate, MINUTE_MS, type Row, rowsOf, START_MS, ViewRun } from '../synthetic.ts';

const HOUR_MS = 60 * MINUTE_MS;
const STEP_MS = 5 * MINUTE_MS;
const ROWS_PER_DAY = 288;

/** The score of a value in place of the next one, after these rows. */
function scoreAfter(view: View, rows: readonly Row[], value: number, pauseMs = STEP_MS): number {
  const run = new ViewRun(view);
  run.scores(rows);
  return run.score({ timeMs: (rows.at(-1)?.timeMs ?? START_MS) + pauseMs, value });
}

const noise = (count: number, seed: number): Row[] => {
  const random = new SimRandom(seed);
  return rowsOf(count, STEP_MS, () => deviate(random));
};

describe('residual', () => {
  test('follows a ramp, and is surprised when it breaks off', () => {
    const ramp = rowsOf(300, STEP_MS, (_, index) => index);
    expect(scoreAfter(residual, ramp, 300)).toBeLessThan(residual.usualScore);
    expect(scoreAfter(residual, ramp, 200)).toBeGreaterThan(20);
  });

  test('does not follow a single wild value, but a new level after four readings', () => {
    const run = new ViewRun(residual);
    const rows = noise(300, 1);
    run.scores(rows);
    const at = (value: number): Row => ({ timeMs: START_MS + 300 * STEP_MS, value });
    run.learn(at(1000));
    expect(Math.abs(predictedValue(run.state, run.at))).toBeLessThan(4);
    for (let k = 0; k < 4; k++) run.learn(at(1000));
    expect(predictedValue(run.state, run.at) + (rows[0]?.value ?? 0)).toBeCloseTo(1000);
    expect(predictionScale(run.state, run.at)).toBeLessThan(2);
  });

  test('says nothing of the first reading after a gap', () => {
    expect(scoreAfter(residual, noise(300, 2), 50)).toBeGreaterThan(10);
    expect(scoreAfter(residual, noise(300, 2), 50, DAY_MS)).toBe(0);
  });
});

describe('time-of-day', () => {
  test('finds a value of noon unusual at midnight, though it is in the range of the series', () => {
    const days = daily(7 * ROWS_PER_DAY, STEP_MS, 3);
    expect(scoreAfter(timeOfDay, days, 20.5)).toBeLessThan(timeOfDay.usualScore);
    expect(scoreAfter(timeOfDay, days, 24.5)).toBeGreaterThan(1.5 * timeOfDay.usualScore);
  });

  test('trusts an hour it has seen once less than one it has seen for a week', () => {
    const surprise = (days: number) => scoreAfter(timeOfDay, daily(days * ROWS_PER_DAY, STEP_MS, 4), 24.5);
    expect(surprise(1)).toBeLessThan(0.6 * surprise(7));
  });

  test('learns as much from a reading a minute as from ten', () => {
    const surprise = (rows: readonly Row[]) => scoreAfter(timeOfDay, rows, 24.5, MINUTE_MS);
    const often = surprise(daily(3 * 24 * 60, MINUTE_MS, 5, 0.1));
    const seldom = surprise(daily(3 * 24 * 6, 10 * MINUTE_MS, 5, 0.1));
    expect(often / seldom).toBeGreaterThan(0.7);
    expect(often / seldom).toBeLessThan(1.4);
  });

  test('names the hour', () => {
    const words = timeOfDay.words({
      timeMs: START_MS + 3 * HOUR_MS + 1,
      value: 0,
      elapsedMs: 0,
      isAfterGap: false,
    });
    expect(words).toBe('unusual for 03:00 UTC');
  });
});

describe('level-order', () => {
  const cycle = [...Array(10).fill(0), 30, 30, ...Array(10).fill(0), -30, -30];
  const cycles = rowsOf(50 * cycle.length + 12, STEP_MS, (_, index) => cycle[index % cycle.length] ?? 0);

  test('finds a level improbable that never came after the ones before it', () => {
    expect(scoreAfter(levelOrder, cycles, 0)).toBeLessThan(1);
    expect(scoreAfter(levelOrder, cycles, -30)).toBeGreaterThan(levelOrder.usualScore / 2);
  });

  test('takes no notice of a value that trembles at the edge of a level', () => {
    // A third of the readings around 1, the others 0: then 1 is where the level of 0 would end without hysteresis.
    const random = new SimRandom(6);
    const edge = rowsOf(3000, STEP_MS, (_, index) => (index % 60 < 20 ? 0.9 + 0.2 * random.next() : 0));
    const scores = new ViewRun(levelOrder).scores(edge).slice(1000);
    expect(Math.max(...scores)).toBeLessThan(0.1);
  });
});

describe('shapes', () => {
  const wave = rowsOf(600, STEP_MS, (_, index) => 10 * Math.sin(index / 6));

  test('knows the values of a wave in their course, and not out of it', () => {
    expect(scoreAfter(shapes, wave, 10 * Math.sin(100))).toBeLessThan(shapes.usualScore);
    expect(scoreAfter(shapes, wave, 9.5)).toBeGreaterThan(shapes.usualScore);
  });

  test('knows the old shapes still when the range has grown', () => {
    const run = new ViewRun(shapes);
    run.scores(wave);
    run.learn({ timeMs: START_MS + 600 * STEP_MS, value: 60 });
    const later = rowsOf(1300, STEP_MS, (_, index) => 10 * Math.sin(index / 6)).slice(601);
    const scores = run.scores(later).slice(100);
    expect(Math.max(...scores)).toBeLessThan(shapes.usualScore);
  });

  test('keeps a bounded number of them, and forgets those met least', () => {
    const random = new SimRandom(7);
    const wild = rowsOf(5000, STEP_MS, (_, index) => (index % 100 < 60 ? 0 : 100 * random.next()));
    const scores = new ViewRun(shapes).scores(wild);
    expect(
      scores
        .slice(4000)
        .filter((_, index) => index % 100 > 50 && index % 100 < 60)
        .every((score) => score < 0.02),
    ).toBe(true);
  });
});

describe('level-shift', () => {
  test('notices a shift that is small beside the noise, but lasts', () => {
    const random = new SimRandom(8);
    const rows = rowsOf(1060, STEP_MS, (_, index) => deviate(random) + (index < 1000 ? 0 : 2.5));
    const scores = new ViewRun(levelShift).scores(rows);
    expect(Math.max(...scores.slice(1000))).toBeGreaterThan(1.5 * Math.max(...scores.slice(200, 1000)));
  });

  test('is not blinded by a single wild value', () => {
    const rows = noise(2000, 9).map((row, index) => (index === 1000 ? { ...row, value: 1e12 } : row));
    expect(Math.max(...new ViewRun(levelShift).scores(rows).slice(1200))).toBeLessThan(8);
    const shifted = [...rows, ...noise(24, 10).map((row) => ({ ...row, value: row.value + 4 }))];
    expect(scoreAfter(levelShift, shifted, 4)).toBeGreaterThan(8);
  });
});

describe('value-mix', () => {
  test('notices that one of two usual values is missing', () => {
    const random = new SimRandom(10);
    const both = rowsOf(
      2100,
      STEP_MS,
      (_, index) => (index < 2000 && random.chance(0.5) ? 10 : 0) + 0.1 * deviate(random),
    );
    const scores = new ViewRun(valueMix).scores(both);
    expect(scores.at(-1)).toBeGreaterThan(1.4 * Math.max(...scores.slice(500, 2000)));
  });
});

test('a deviation counts in usual ones, a wild one by its logarithm, and any where there was none before', () => {
  expect(inDeviations(-6, 2)).toBe(3);
  expect(inDeviations(0, 0)).toBe(0);
  expect(inDeviations(200, 2)).toBeCloseTo(10 * (1 + Math.log(10)));
  expect(inDeviations(1e-9, 0)).toBe(inDeviations(1e9, 0));
});

test('the states of the views begin as zeros', () => {
  for (const view of [residual, timeOfDay, levelOrder, shapes, levelShift, valueMix]) {
    const state = newSeriesState(view.size);
    const sight = { timeMs: START_MS, value: 1e9, elapsedMs: 0, isAfterGap: false };
    expect(view.score(state, { doubles: 0, floats: 0 }, sight)).toBe(0);
  }
});
