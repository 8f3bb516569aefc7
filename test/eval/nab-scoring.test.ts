import { describe, expect, test } from 'vitest';
import {
  bestOutcome,
  corpusOf,
  normalized,
  type Profile,
  probationRows,
  rawPoints,
  type ScoredFile,
  scaledSigmoid,
  worthBehind,
  worthWithin,
} from '../../bench/eval/nab-scoring.ts';

const standard: Profile = { truePositive: 1, falsePositive: 0.11, falseNegative: 1 };
const lowFalsePositives: Profile = { ...standard, falsePositive: 0.22 };
const lowFalseNegatives: Profile = { ...standard, falseNegative: 2 };

/** 100 rows, of which the first 15 are not scored, with alarms of the score 1 at some of them. */
function file(alarms: readonly number[], windows: ScoredFile['windows'] = [{ first: 40, last: 49 }]) {
  const scores = new Float64Array(100);
  for (const row of alarms) scores[row] = 1;
  return { name: 'folder/file.csv', scores, windows };
}

const rawOf = (files: readonly ScoredFile[], profile = standard): number =>
  rawPoints(corpusOf(files), profile, 1).reduce((sum, raw) => sum + raw, 0);

describe('the scaled sigmoid', () => {
  // The values that the paper's figure 2 shows: A to the left of the window's end, B at its end, C and D behind it.
  test('falls from almost 1 to almost -1, by 0 at the end of a window', () => {
    expect(scaledSigmoid(-1)).toBeCloseTo(0.98661, 5);
    expect(scaledSigmoid(-0.5)).toBeCloseTo(0.84828, 5);
    expect(scaledSigmoid(0)).toBe(0);
    expect(scaledSigmoid(0.5)).toBeCloseTo(-0.84828, 5);
    expect(scaledSigmoid(3)).toBeCloseTo(-0.9999994, 7);
  });

  test('is -1 further behind', () => {
    expect(scaledSigmoid(3.01)).toBe(-1);
  });
});

describe('an alarm', () => {
  const window = { first: 40, last: 49 };

  test('at the first row of a window is worth 1, later ones less, the last a little', () => {
    expect(worthWithin(window, 40)).toBe(1);
    expect(worthWithin(window, 45)).toBeCloseTo(0.84828 / 0.98661, 4);
    expect(worthWithin(window, 49)).toBeCloseTo(0.24492 / 0.98661, 4);
  });

  test('behind a window costs the more the further behind it is', () => {
    expect(worthBehind(window, 50)).toBeCloseTo(scaledSigmoid(1 / 9), 10);
    expect(worthBehind(window, 76)).toBeCloseTo(scaledSigmoid(3), 10);
    expect(worthBehind(window, 77)).toBe(-1);
  });

  test('before the first window costs a whole one', () => {
    expect(worthBehind(null, 39)).toBe(-1);
  });
});

describe('the first rows of a file', () => {
  test('are 15 % of it, at most 750', () => {
    expect(probationRows(100)).toBe(15);
    expect(probationRows(1543)).toBe(231);
    expect(probationRows(5000)).toBe(750);
    expect(probationRows(22_695)).toBe(750);
  });

  test('are never scored', () => {
    expect(rawOf([file([0, 14])])).toBe(-1);
    expect(rawOf([file([15])])).toBeCloseTo(-1.11, 10);
  });
});

describe('the score of a file', () => {
  test('is minus the weight of a miss for each window without an alarm', () => {
    const windows = [
      { first: 40, last: 49 },
      { first: 60, last: 69 },
    ];
    expect(rawOf([file([], windows)])).toBe(-2);
    expect(rawOf([file([], windows)], lowFalseNegatives)).toBe(-4);
  });

  test('counts the earliest alarm of a window only', () => {
    expect(rawOf([file([40])])).toBe(1);
    expect(rawOf([file([40, 41, 45, 49])])).toBe(1);
    expect(rawOf([file([45, 49])])).toBeCloseTo(worthWithin({ first: 40, last: 49 }, 45), 10);
  });

  test('counts each false alarm, by the weight of the profile', () => {
    expect(rawOf([file([20, 21, 40])])).toBeCloseTo(1 - 2 * 0.11, 10);
    expect(rawOf([file([20, 21, 40])], lowFalsePositives)).toBeCloseTo(1 - 2 * 0.22, 10);
  });

  test('measures a false alarm from the window before it', () => {
    const windows = [
      { first: 40, last: 49 },
      { first: 80, last: 89 },
    ];
    expect(rawOf([file([40, 52, 80, 95], windows)])).toBeCloseTo(
      2 + 0.11 * (scaledSigmoid(3 / 9) + scaledSigmoid(6 / 9)),
      10,
    );
  });

  test('without windows is what its false alarms cost', () => {
    expect(rawOf([file([20, 90], [])])).toBeCloseTo(-0.22, 10);
  });
});

describe('the normalised score', () => {
  test('is 0 without alarms and 100 with each window found at its first row', () => {
    for (const profile of [standard, lowFalsePositives, lowFalseNegatives]) {
      const outcome = (alarms: readonly number[]) =>
        bestOutcome(corpusOf([file(alarms)]), profile).normalized;
      expect(outcome([40])).toBe(100);
      expect(normalized(rawOf([file([])], profile), 1, profile)).toBe(0);
    }
  });
});

describe('the threshold', () => {
  const graded = (name: string, at: Readonly<Record<number, number>>): ScoredFile => {
    const scores = new Float64Array(100);
    for (const [row, score] of Object.entries(at)) scores[Number(row)] = score;
    return { name, scores, windows: [{ first: 40, last: 49 }] };
  };

  test('is one for all files, the one that earns most', () => {
    const files = [graded('a', { 40: 0.8, 20: 0.5 }), graded('b', { 41: 0.6, 90: 0.7 })];
    const { threshold, raw } = bestOutcome(corpusOf(files), standard);
    expect(threshold).toBe(0.6);
    expect(raw).toBeCloseTo(1 + worthWithin({ first: 40, last: 49 }, 41) - 0.11, 10);
  });

  test('is beyond all scores if any alarm would cost more than it earns', () => {
    const { threshold, raw } = bestOutcome(corpusOf([graded('a', { 20: 0.9 })]), standard);
    expect(threshold).toBe(Number.POSITIVE_INFINITY);
    expect(raw).toBe(-1);
  });

  test('takes rows of equal score together', () => {
    // A detector that says the same everywhere is at best as good as none: 75 false alarms for one window.
    const same = { name: 'a', scores: new Float64Array(100).fill(0.5), windows: [{ first: 40, last: 49 }] };
    expect(bestOutcome(corpusOf([same]), standard).threshold).toBe(Number.POSITIVE_INFINITY);
  });

  test('looks only at the files that count', () => {
    const corpus = corpusOf([graded('a', { 40: 0.8 }), graded('b', { 20: 0.9 })]);
    expect(bestOutcome(corpus, standard, ({ name }) => name === 'a')).toEqual({
      threshold: 0.8,
      raw: 1,
      normalized: 100,
    });
  });

  test('gives the points of each file', () => {
    const corpus = corpusOf([graded('a', { 40: 0.8, 20: 0.5 }), graded('b', { 20: 0.9 })]);
    const points = rawPoints(corpus, standard, 0.8);
    expect(points[0]).toBe(1);
    expect(points[1]).toBeCloseTo(-1.11, 10);
  });
});
