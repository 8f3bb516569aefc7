import { expect, test } from 'vitest';
import { durationInWords, faultFinding, inWords } from '../../../src/anomaly/rules/words.ts';

test('numbers have four significant digits, and none is lost before the point', () => {
  expect([21.5, 0.123456, 1234567.8, -3, 0, 1e20, 1e-9].map(inWords)).toEqual([
    '21.5',
    '0.1235',
    '1234568',
    '-3',
    '0',
    '1.000e+20',
    '1.000e-9',
  ]);
});

test('durations are in the largest unit of which there are two', () => {
  expect([5, 1999, 2000, 119_000, 7_200_000, 200_000_000].map(durationInWords)).toEqual([
    '5 ms',
    '1999 ms',
    '2 s',
    '119 s',
    '2 h',
    '2.315 days',
  ]);
});

test('a finding of a rule is sure of itself', () => {
  expect(faultFinding('stuck', 500, null, false, 'why')).toEqual({
    kind: 'stuck',
    severity: 500,
    score: 1,
    expected: null,
    rarity: null,
    words: ['why'],
    isWarmingUp: false,
  });
});
