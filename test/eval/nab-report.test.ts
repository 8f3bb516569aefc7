import { describe, expect, test } from 'vitest';
import { corpusScoredBy, reportOf, scoresOf } from '../../bench/eval/nab-report.ts';
import { clockScores, movingAverage, oracleScores } from '../../bench/eval/references.ts';
import { SimRandom } from '../support/sim-random.ts';
import { syntheticSeries } from './synthetic-series.ts';

const standard = { truePositive: 1, falsePositive: 0.11, falseNegative: 1 };
const windows = [{ first: 800, last: 899 }];
const series = [
  syntheticSeries('one/a', { count: 1000, seed: 1, windows }),
  syntheticSeries('one/b', { count: 1000, seed: 2 }),
  syntheticSeries('two/c', { count: 1000, seed: 3, windows }),
];
const report = (scores: Parameters<typeof corpusScoredBy>[1]) =>
  reportOf(corpusScoredBy(series, scores), 'standard', standard, new SimRandom(1));

/** 1 at a row of each series, 0 elsewhere; and how sure it is of it. */
const alarms =
  (rows: Readonly<Record<string, readonly [row: number, score: number]>>) =>
  ({ name }: { readonly name: string }) => {
    const scores = new Float64Array(1000);
    const [row, score] = rows[name] ?? [0, 0];
    scores[row] = score;
    return scores;
  };

describe('a report', () => {
  test('tells the score of all, of each folder and of each file', () => {
    const { normalized, threshold, folders, files } = report(
      alarms({ 'one/a': [800, 0.9], 'one/b': [500, 0.9], 'two/c': [10, 0.9] }),
    );
    expect(threshold).toBe(0.9);
    expect(normalized).toBeCloseTo((100 * (1 - 0.11 - 1 + 2)) / 4, 6);
    expect(folders).toEqual([
      { name: 'one', windows: 1, raw: 0.89, normalized: expect.closeTo(94.5, 6) },
      { name: 'two', windows: 1, raw: -1, normalized: 0 },
    ]);
    expect(files.map(({ normalized: score }) => score)).toEqual([100, null, 0]);
  });

  test('tells how each folder fares with the threshold of the others', () => {
    const { normalized, transferred } = report(alarms({ 'one/a': [800, 0.9], 'two/c': [800, 0.5] }));
    expect(normalized).toBe(100);
    expect(transferred).toBe(50);
  });

  test('tells how far the score depends on the files that were drawn', () => {
    const perfect = report(alarms({ 'one/a': [800, 0.9], 'two/c': [800, 0.9] })).spread;
    expect(perfect).toEqual({ low: 100, high: 100 });
    const half = report(alarms({ 'one/a': [800, 0.9] })).spread;
    expect(half.low).toBe(0);
    expect(half.high).toBe(100);
  });

  test('shows an oracle above a clock', () => {
    expect(report(oracleScores).normalized).toBeGreaterThan(90);
    expect(report(clockScores).normalized).toBeLessThan(50);
  });
});

test('a detector begins each series anew', () => {
  const [first = series[0]] = series;
  if (first === undefined) throw new Error('there is a series');
  expect(scoresOf(movingAverage.newScorer(), first)).toEqual(scoresOf(movingAverage.newScorer(), first));
});
