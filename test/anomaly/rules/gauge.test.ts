import { expect, test } from 'vitest';
import { noHints } from '../../../src/anomaly/detection/reading.ts';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import { gaugeDoubles, gaugeIsExceeded, gaugeRecord } from '../../../src/anomaly/rules/gauge.ts';
import type { Observed } from '../../../src/anomaly/rules/rule.ts';
import { SimRandom } from '../../support/sim-random.ts';

const observed: Observed = {
  reading: { timeMs: 0, value: 0, sourceTimeMs: null },
  hints: noHints,
  count: 0,
  previous: 0,
  step: 0,
  newQuantum: 0,
  elapsedMs: 0,
  ageMs: 0,
  isNew: false,
  intervalMs: 0,
  fade: 1,
  isCounter: false,
  isReset: false,
  endsBlock: false,
  caution: 1,
};

/** A gauge with blocks of ten scores: says of each whether it was beyond all before. */
function gauge(margin = 1.5, floor = 0) {
  const state = newSeriesState({ doubles: gaugeDoubles, floats: 0 });
  let count = 0;
  return {
    exceeds: (score: number): boolean => {
      count += 1;
      return gaugeIsExceeded(state, 0, score, margin, floor, { ...observed, endsBlock: count % 10 === 0 });
    },
    record: () => gaugeRecord(state, 0),
  };
}

const uniform = (count: number): number[] => {
  const random = new SimRandom(1);
  return Array.from({ length: count }, () => random.next());
};

test('scores as they always are do not exceed it, and far larger ones do', () => {
  const { exceeds } = gauge();
  expect(uniform(2000).map(exceeds)).not.toContain(true);
  expect(exceeds(1.4)).toBe(false);
  expect(exceeds(2)).toBe(true);
});

test('nothing exceeds it before there is a record of two blocks', () => {
  const { exceeds } = gauge();
  expect([...uniform(19), 1000].map(exceeds)).not.toContain(true);
});

test('a score that rises slowly does not raise the record it is measured by', () => {
  const { exceeds, record } = gauge();
  uniform(1000).map(exceeds);
  const before = record();
  const slow = Array.from({ length: 10 }, (_, index) => 1 + index * 0.1);
  expect(slow.map(exceeds).at(-1)).toBe(true);
  expect(record()).toBe(before);
});

test('once exceeded it is until the score is well below', () => {
  const { exceeds } = gauge();
  uniform(1000).map(exceeds);
  expect([2, 1.3, 1.3, 0.9, 1.3].map(exceeds)).toEqual([true, true, true, false, false]);
});

test('the second fault of a size is found, and one that comes again and again is usual in the end', () => {
  const { exceeds } = gauge();
  uniform(1000).map(exceeds);
  const found = Array.from({ length: 10 }, () => {
    const isFound = exceeds(5);
    uniform(50).map(exceeds);
    return isFound;
  });
  expect(found.slice(0, 2)).toEqual([true, true]);
  expect(found.at(-1)).toBe(false);
});

test('a score below the floor never exceeds it', () => {
  const { exceeds } = gauge(1.5, 10);
  uniform(1000).map(exceeds);
  expect([9, 11].map(exceeds)).toEqual([false, true]);
});
