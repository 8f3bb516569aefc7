import { expect, test } from 'vitest';
import { faultFinding, inWords, timeInWords } from '../../../src/anomaly/rules/words.ts';

test('numbers have four significant digits, and none is lost before the point', () => {
  expect([21.5, 0.123456, 1234567.8, -3, 0, 1e20, 1e-9].map(inWords)).toEqual([
    '21.5',
    '0.1235',
    '1234568',
    '-3',
    '0',
    '1.00e+20',
    '1.00e-9',
  ]);
});

test('times are in the two largest units that say something, and in milliseconds below a second', () => {
  expect([5, 999, 1999, 119_000, 7_260_000, 200_000_000].map(timeInWords)).toEqual([
    '5 ms',
    '999 ms',
    '1 s',
    '1 min 59 s',
    '2 h 1 min',
    '2 d 7 h',
  ]);
});

test('a finding of a rule is sure of itself', () => {
  const finding = {
    kind: 'stuck',
    severity: 500,
    score: 1,
    expected: null,
    rarity: null,
    isWarmingUp: false,
  };
  expect(faultFinding('stuck', 500, ['why'])).toEqual({ ...finding, words: ['why'] });
});
