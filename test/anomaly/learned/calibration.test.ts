import { describe, expect, test } from 'vitest';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import {
  calibrationSize,
  learnScores,
  rarityOf,
  referenceScore,
} from '../../../src/anomaly/learned/calibration.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { DAY_MS, MINUTE_MS, START_MS } from './synthetic.ts';

const AT = { doubles: 0, floats: 0 };

function calibrated(scores: readonly (readonly number[])[], stepMs = 5 * MINUTE_MS) {
  const state = newSeriesState(calibrationSize(2));
  scores.forEach((pair, index) => {
    learnScores(state, AT, START_MS + index * stepMs, Float64Array.from(pair));
  });
  const endMs = START_MS + scores.length * stepMs;
  return {
    reference: (view: number) => referenceScore(state, AT, view),
    rarity: (view: number, score: number) => rarityOf(state, AT, view, score, endMs),
  };
}

const uniform = (count: number, seed: number) => {
  const random = new SimRandom(seed);
  return Array.from({ length: count }, () => [random.next(), 100 * random.next()]);
};

describe('the reference score', () => {
  test('is 0 until a block of readings is complete', () => {
    expect(calibrated(uniform(49, 1)).reference(0)).toBe(0);
    expect(calibrated(uniform(50, 1)).reference(0)).toBeGreaterThan(0.9);
  });

  test('is one that a tenth of the blocks exceeds, of each view in its own units', () => {
    const { reference, rarity } = calibrated(uniform(1950, 2));
    expect(reference(0)).toBeGreaterThan(0.99);
    expect(reference(1)).toBeGreaterThan(99);
    expect(rarity(0, reference(0)).reached).toBe(4);
  });

  test('is not raised by an anomaly, but by what has become usual', () => {
    const quiet = uniform(1000, 3);
    const wild = (count: number) => Array.from({ length: count }, () => [50, 50]);
    expect(calibrated([...quiet, ...wild(100)]).reference(0)).toBeLessThan(1);
    expect(calibrated([...quiet, ...wild(500)]).reference(0)).toBe(50);
  });
});

describe('what is known of the past', () => {
  test('begins anew where the clock of a series was set back', () => {
    const state = newSeriesState(calibrationSize(1));
    const scores = Float64Array.of(1);
    for (let k = 0; k < 4000; k++) {
      learnScores(state, AT, START_MS + (k < 500 ? 1000 * DAY_MS : 0) + k * 5 * MINUTE_MS, scores);
    }
    const { spanMs } = rarityOf(state, AT, 0, 1, START_MS + 4000 * 5 * MINUTE_MS);
    expect(spanMs / DAY_MS).toBeCloseTo(3500 / 288, 0);
  });

  test('covers all of it at first, and at least eight weeks later', () => {
    const spanDays = (count: number) => calibrated(uniform(count, 4)).rarity(0, 0).spanMs / DAY_MS;
    expect(spanDays(2000)).toBeCloseTo(2000 / 288, 0);
    expect(spanDays(12_000)).toBeCloseTo(12_000 / 288, 0);
    expect(spanDays(60_000)).toBeGreaterThan(56);
    expect(spanDays(60_000)).toBeLessThan(120);
  });

  test('does not depend on how often there are readings', () => {
    const { spanMs } = calibrated(uniform(80_000, 5), MINUTE_MS).rarity(0, 0);
    expect(spanMs).toBeCloseTo(80_000 * MINUTE_MS, -7);
  });

  test('tells how often a score was reached', () => {
    const scores = uniform(1000, 6).map((pair, index) => (index === 100 || index === 500 ? [9, 0] : pair));
    expect(calibrated(scores).rarity(0, 8).reached).toBe(2);
    expect(calibrated(scores).rarity(0, 10).reached).toBe(0);
  });
});
