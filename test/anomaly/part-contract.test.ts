import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Finding, sensorFaults as kinds } from '../../src/anomaly/detection/finding.ts';
import type { DetectionPart } from '../../src/anomaly/detection/part.ts';
import { noHints, type Reading } from '../../src/anomaly/detection/reading.ts';
import { newSeriesState } from '../../src/anomaly/detection/series-state.ts';
import { sensorFaults } from '../../src/anomaly/rules/sensor-faults.ts';
import { limits } from '../../src/core/limits.ts';
import { SimRandom } from '../support/sim-random.ts';
import { contractViolations } from './part-contract.ts';
import { faultyTemperature, healthySeries, minuteMs, startMs } from './rules/synthetic-series.ts';

const anyValue = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -50, max: 50, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(-127, 85, 65535, 0, -0, 1e29, -1e29, 5e-324) },
);

/** Readings of any value, at times that may stand still, leap and go back; before them, a quiet hour, so that the series is known. */
const anyReadings: fc.Arbitrary<Reading[]> = fc
  .array(
    fc.record({
      value: anyValue,
      elapsedMs: fc.oneof(
        { weight: 8, arbitrary: fc.constant(minuteMs) },
        { weight: 1, arbitrary: fc.integer({ min: -10 * minuteMs, max: 1e9 }) },
      ),
      lateMs: fc.option(fc.integer({ min: -1e7, max: 1e7 })),
    }),
    { minLength: 1, maxLength: 200 },
  )
  .map((steps) => {
    let timeMs = startMs;
    const known = Array.from({ length: 200 }, (_, index) => {
      timeMs += minuteMs;
      return { timeMs, value: 20 + Math.sin(index), sourceTimeMs: null };
    });
    return [
      ...known,
      ...steps.map(({ value, elapsedMs, lateMs }) => {
        timeMs += elapsedMs;
        return { timeMs, value, sourceTimeMs: lateMs === null ? null : timeMs - lateMs };
      }),
    ];
  });

/** A temperature of three weeks with a spike and a duplicate now and then, and then other faults, for a hundred readings every five hundred. */
const allFaults = faultyTemperature(4, 2000, (reading, at) => {
  if (at % 500 > 100) return reading;
  const { timeMs, value } = reading;
  switch (Math.floor(at / 500)) {
    case 0:
      return { ...reading, value: 21.25 };
    case 1:
      return { ...reading, value: value + 15, timeMs: at % 500 < 5 ? timeMs - 8 * minuteMs : timeMs };
    case 2:
      return { ...reading, value: value + 0.05 * (at % 500) };
    case 3:
      return { ...reading, value: at % 3 === 0 ? -127 : value, sourceTimeMs: timeMs + 3_600_000 };
    case 4:
      return { ...reading, value: value + 3 * Math.sin(at * 9), timeMs: timeMs - (timeMs % (10 * minuteMs)) };
    case 5:
      return { ...reading, value: 20 + at * 1e-6, timeMs: timeMs + 200 * minuteMs };
    case 6:
      return { ...reading, value: 40 - value };
    default:
      return { ...reading, value: value - 0.001 * at };
  }
}).map((reading, index, all) => {
  if (index === 5900) return { ...reading, value: 300 };
  if (index === 1500) return { ...reading, value: reading.value + 4 };
  return index % 997 === 996 ? (all[index - 1] ?? reading) : reading;
});

describe('the rules', () => {
  test('keep the contract of parts on every kind of fault', () => {
    const state = newSeriesState(sensorFaults.size);
    const begin = { doubles: 0, floats: 0 };
    sensorFaults.reset(state, begin);
    const found = new Set(
      allFaults.flatMap((reading) =>
        sensorFaults.observe(state, begin, reading, noHints).map(({ kind }) => kind),
      ),
    );
    // Otherwise this would prove nothing for the kinds that are missing.
    expect(kinds.filter((kind) => !found.has(kind))).toEqual([]);
    const cuts = [0, 1, 63, 64, 2005, 2011, 2500, 2503, 3050, 3520, 4001, 4550, 5051];
    expect(contractViolations(sensorFaults, allFaults, cuts)).toEqual([]);
  });

  test('keep it whatever comes, with a restart anywhere', () => {
    fc.assert(
      fc.property(anyReadings, fc.nat(), (readings, cut) => {
        expect(contractViolations(sensorFaults, readings, [cut % readings.length])).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the contract', () => {
  const nothing: readonly Finding[] = Object.freeze([]);
  const found: Finding = {
    kind: 'rate',
    severity: 1,
    score: 1,
    expected: null,
    rarity: null,
    words: ['it'],
    isWarmingUp: false,
  };
  const readings = healthySeries['white noise']?.(new SimRandom(1), 200) ?? [];
  const quiet: DetectionPart = {
    size: { doubles: 1, floats: 1 },
    reset: () => undefined,
    observe: () => nothing,
  };
  let last = 0;
  const broken: Readonly<Record<string, DetectionPart['observe']>> = {
    'throws: Error: no number': () => {
      throw new Error('no number');
    },
    'allocates where all is well': () => [],
    'finds what cannot be told': () => [{ ...found, words: ['x'.repeat(limits.alertWordsBytesMax + 1)] }],
    'writes where the numbers of others are': ({ doubles }, at) => {
      doubles[at.doubles + 1] = 1;
      return nothing;
    },
    'keeps something outside of the state of the series': (_state, _at, { value }) => {
      const isHigher = value > last;
      last = value;
      return isHigher ? [found] : nothing;
    },
  };

  test('is kept by a part that finds nothing', () => {
    expect(contractViolations(quiet, readings, [100])).toEqual([]);
  });

  test.each(Object.entries(broken))('notices a part that %s', (violation, observe) => {
    expect(contractViolations({ ...quiet, observe }, readings, [0, 50, 100])).toEqual([violation]);
  });

  test('notices numbers that are none', () => {
    const expected = { value: Number.NaN, low: 0, high: 0 };
    const observe = () => [{ ...found, expected }];
    expect(contractViolations({ ...quiet, observe }, readings, [])).toEqual(['finds what cannot be told']);
  });
});
