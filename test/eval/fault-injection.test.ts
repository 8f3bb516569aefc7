import { describe, expect, test } from 'vitest';
import { readingOf } from '../../bench/eval/detector.ts';
import {
  FAULT_READINGS,
  type FaultType,
  faultTypes,
  GRACE_READINGS,
  injected,
  placesIn,
  type RangeKind,
  usualOf,
} from '../../bench/eval/fault-injection.ts';
import { SimRandom } from '../support/sim-random.ts';
import { syntheticSeries } from './synthetic-series.ts';

const series = syntheticSeries('wave', { count: 2000, seed: 1 });
const readings = series.rows.map(readingOf);
const before = readings.slice(0, 1000);
const clean = readings.slice(1000);
const usual = usualOf(before, 'usual');
const { low, range } = usual;

const faulty = (type: FaultType, seed = 1) => injected(type, usual, clean, new SimRandom(seed));
/** How far each reading of the fault is from what it was. */
const shifts = (type: FaultType, seed = 1) =>
  faulty(type, seed).map(({ value }, at) => value - (clean[at]?.value ?? 0));

const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);

describe('the range of readings', () => {
  const of = (values: readonly number[], kind: RangeKind = 'usual') => {
    const { low: lowest, range: width } = usualOf(
      values.map((value, at) => readingOf({ timeMs: at, value })),
      kind,
    );
    return [lowest, width];
  };

  test('leaves out the lowest and the highest of a hundred', () => {
    const values = Array.from({ length: 201 }, (_, at) => at);
    expect(of(values)).toEqual([2, 196]);
    expect(of([-5000, ...values.slice(1, -1), 5000])).toEqual([2, 196]);
    expect(of([-5000, ...values.slice(1, -1), 5000], 'whole')).toEqual([-5000, 10_000]);
  });

  test('is all of them, where there is nothing else', () => {
    expect(of([...Array(500).fill(20), 30])).toEqual([20, 10]);
  });
});

describe('a fault', () => {
  test.each(faultTypes)('leaves the readings after it and all times alone: %s', (type) => {
    const result = faulty(type);
    expect(result.slice(-GRACE_READINGS)).toEqual(
      clean.slice(FAULT_READINGS, FAULT_READINGS + GRACE_READINGS),
    );
    const first = type === 'dropout' ? FAULT_READINGS : 0;
    expect(result.map(({ timeMs }) => timeMs)).toEqual(
      clean.slice(first, FAULT_READINGS + GRACE_READINGS).map(({ timeMs }) => timeMs),
    );
  });

  test.each(faultTypes)('is the same for the same seed: %s', (type) => {
    expect(faulty(type, 5)).toEqual(faulty(type, 5));
  });

  test('of a stuck sensor repeats the last reading before it', () => {
    const values = faulty('stuck-at')
      .slice(0, FAULT_READINGS)
      .map(({ value }) => value);
    expect(new Set(values)).toEqual(new Set([before.at(-1)?.value]));
  });

  test('of a sensor that drops is one value below the range', () => {
    const values = new Set(
      faulty('drop')
        .slice(0, FAULT_READINGS)
        .map(({ value }) => value),
    );
    expect([...values]).toEqual([low - range / 4]);
  });

  test('of a spike is one reading, one and a half ranges away', () => {
    const [first = 0, ...rest] = shifts('spike');
    expect(Math.abs(first)).toBeCloseTo(1.5 * range, 6);
    expect(new Set(rest)).toEqual(new Set([0]));
  });

  test('of noise has, with the noise that is there, four times of it', () => {
    const noise =
      deviation(before.map(({ value }, at) => value - (before[at - 1]?.value ?? value))) / Math.SQRT2;
    const added = Array.from({ length: 50 }, (_, seed) =>
      shifts('noise', seed).slice(0, FAULT_READINGS),
    ).flat();
    expect(deviation(added) / noise).toBeCloseTo(Math.sqrt(15), 1);
  });

  test('of an offset moves all readings by 0.6 ranges to one side', () => {
    const moved = shifts('offset').slice(0, FAULT_READINGS);
    for (const shift of moved) expect(shift).toBeCloseTo(Math.sign(moved[0] ?? 0) * 0.6 * range, 6);
  });

  test('of drift grows evenly to 0.8 ranges', () => {
    const moved = shifts('drift').slice(0, FAULT_READINGS).map(Math.abs);
    expect(moved.at(-1)).toBeCloseTo(0.8 * range, 6);
    expect(moved[29]).toBeCloseTo(0.4 * range, 6);
  });

  test('goes to either side', () => {
    const sides = Array.from({ length: 20 }, (_, seed) => Math.sign(shifts('offset', seed)[0] ?? 0));
    expect(new Set(sides)).toEqual(new Set([-1, 1]));
  });
});

describe('the places of faults', () => {
  const windows = [{ first: 900, last: 1100 }];
  const all = [
    syntheticSeries('a', { count: 2000, seed: 1, windows }),
    syntheticSeries('b', { count: 1000, seed: 2 }),
    syntheticSeries('too short', { count: 60, seed: 3 }),
  ];

  test('are as many as asked for, evenly over the series that have room', () => {
    const places = placesIn(all, 81, new SimRandom(1));
    const perSeries = Map.groupBy(places, (place) => place.series.name);
    expect([...perSeries].map(([name, { length }]) => [name, length])).toEqual([
      ['a', 41],
      ['b', 40],
    ]);
  });

  test('keep away from labelled windows, from the warm-up and from the end', () => {
    for (const { series: one, row } of placesIn(all, 500, new SimRandom(1))) {
      const last = row + FAULT_READINGS + GRACE_READINGS;
      expect(row).toBeGreaterThan(0.15 * one.rows.length);
      expect(last).toBeLessThan(one.rows.length);
      if (one.name === 'a') expect(row > 1100 || last < 900).toBe(true);
    }
  });

  test('are where the series is alive: a stuck sensor could be told from it', () => {
    const flat = {
      ...series,
      rows: series.rows.map((row, at) => ({ ...row, value: at < 1000 ? row.value : 5 })),
    };
    for (const { row } of placesIn([flat], 100, new SimRandom(1))) expect(row).toBeLessThan(1000);
  });

  test('are none without a series', () => {
    expect(placesIn([], 81, new SimRandom(1))).toEqual([]);
  });
});
