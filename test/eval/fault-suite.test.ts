import { describe, expect, test } from 'vitest';
import type { Detector } from '../../bench/eval/detector.ts';
import { placesIn } from '../../bench/eval/fault-injection.ts';
import { faultSuite } from '../../bench/eval/fault-suite.ts';
import { movingAverage } from '../../bench/eval/references.ts';
import type { Finding } from '../../src/anomaly/detection/finding.ts';
import { newSeriesState } from '../../src/anomaly/detection/series-state.ts';
import { SimRandom } from '../support/sim-random.ts';
import { syntheticSeries } from './synthetic-series.ts';

const windows = [{ first: 1500, last: 1599 }];
const series = [
  syntheticSeries('a', { count: 2017, seed: 1, windows }),
  syntheticSeries('b', { count: 2017, seed: 2 }),
];
const places = placesIn(series, 12, new SimRandom(3));

const found = (kind: Finding['kind']): Finding => ({
  kind,
  severity: 1,
  score: 1,
  expected: null,
  rarity: null,
  words: [],
  isWarmingUp: false,
});

type Judge = (count: number, value: number, before: number, timeMs: number) => readonly Finding['kind'][];

/** Finds what a function of the count of readings so far, the value, the one before and the time says. */
function detectorOf(judge: Judge): Detector {
  return {
    name: 'test',
    newScorer: () => () => 0,
    newState: () => newSeriesState({ doubles: 2, floats: 0 }),
    observe: ({ doubles }, { value, timeMs }) => {
      const [count = 0, before = 0] = doubles;
      doubles.set([count + 1, value]);
      return judge(count, value, before, timeMs).map(found);
    },
  };
}

const suite = (detector: Detector) => faultSuite(detector, series, places, 'usual', new SimRandom(4));
const outcome = (detector: Detector, type: string) =>
  suite(detector).faults.find((fault) => fault.type === type);

describe('the fault suite', () => {
  test('tells for each type of fault who caught it, and after how many readings', () => {
    const repeats = detectorOf((count, value, before) => (count > 0 && value === before ? ['stuck'] : []));
    expect(outcome(repeats, 'stuck-at')).toEqual({
      type: 'stuck-at',
      faults: 12,
      caughtByAny: 1,
      caughtByRules: 1,
      caughtByLearned: 0,
      medianReadings: 0,
      kinds: [['stuck', 1]],
    });
    expect(outcome(repeats, 'drop')?.medianReadings).toBe(1);
    expect(outcome(repeats, 'offset')?.caughtByAny).toBe(0);
  });

  test('keeps the learned and the rules apart', () => {
    const both = detectorOf((_, value) => (value < 7 ? ['unusual', 'out-of-range'] : []));
    const { caughtByAny, caughtByRules, caughtByLearned, kinds } = outcome(both, 'drop') ?? {};
    expect({ caughtByAny, caughtByRules, caughtByLearned }).toEqual({
      caughtByAny: 1,
      caughtByRules: 1,
      caughtByLearned: 1,
    });
    expect(kinds).toHaveLength(2);
  });

  test('does not count what is found there without the fault, too', () => {
    const always = detectorOf(() => ['unusual']);
    for (const { caughtByAny } of suite(always).faults) expect(caughtByAny).toBe(0);
  });

  test('begins each fault with what the detector knew just before it', () => {
    const outOfStep = detectorOf((count, _value, _before, timeMs) =>
      count === timeMs / 300_000 ? [] : ['unusual'],
    );
    for (const { type, caughtByAny } of suite(outOfStep).faults) {
      expect({ type, caughtByAny }).toEqual({ type, caughtByAny: type === 'dropout' ? 1 : 0 });
    }
  });

  test('counts the alerts that clean readings raise, and leaves labelled windows out', () => {
    const now = new Set([300, 301, 302, 700, 1550]);
    const { falseAlerts } = suite(detectorOf((count) => (now.has(count) ? ['unusual'] : [])));
    expect(falseAlerts.map(({ series: name, alerts }) => [name, alerts.get('unusual')])).toEqual([
      ['a', 2],
      ['b', 3],
    ]);
    expect(falseAlerts[1]?.weeks).toBe(1);
    expect(falseAlerts[0]?.weeks).toBeCloseTo(1 - 99 / 2016, 6);
  });

  test('says the same each time', () => {
    expect(suite(movingAverage)).toEqual(suite(movingAverage));
  });
});
