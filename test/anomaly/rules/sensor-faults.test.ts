import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding, FindingKind } from '../../../src/anomaly/detection/finding.ts';
import { noHints, type Reading } from '../../../src/anomaly/detection/reading.ts';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import { outOfRangeRule } from '../../../src/anomaly/rules/out-of-range.ts';
import { rules, sensorFaults } from '../../../src/anomaly/rules/sensor-faults.ts';
import { SimRandom } from '../../support/sim-random.ts';
import {
  alertsOf,
  begin,
  findingsOf,
  freshState,
  healthySeries,
  minuteMs,
  startMs,
} from './synthetic-series.ts';

const weekMs = 7 * 24 * 3600 * 1000;

const anyValue = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -50, max: 50, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(-127, 85, 65535, 0, -0, 1e29, -1e29, 5e-324) },
);

/** Readings of any value, at times that may stand still, leap and go back. */
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
    { maxLength: 200 },
  )
  .map((steps) => {
    let timeMs = startMs;
    return steps.map(({ value, elapsedMs, lateMs }) => {
      timeMs += elapsedMs;
      return { timeMs, value, sourceTimeMs: lateMs === null ? null : timeMs - lateMs };
    });
  });

/** An hour as it should be, so that the rules know the series, and then anything. */
const knownThenAny = fc.tuple(fc.integer(), anyReadings).map(([seed, readings]) => {
  const random = new SimRandom(seed);
  const known = Array.from({ length: 200 }, (_, index) => ({
    timeMs: startMs - (200 - index) * minuteMs,
    value: 20 + random.next(),
    sourceTimeMs: null,
  }));
  return [...known, ...readings];
});

function numbersOf({ severity, score, expected }: Finding): number[] {
  return [severity, score, ...(expected === null ? [] : [expected.value, expected.low, expected.high])];
}

describe('all rules together', () => {
  test('keep no more than 1.5 KiB of a series', () => {
    const { doubles, floats } = sensorFaults.size;
    expect(doubles * 8 + floats * 4).toBeLessThanOrEqual(1536);
  });

  test('work on their own numbers alone, wherever these begin', () => {
    const at = { doubles: 3, floats: 5 };
    const state = newSeriesState({
      doubles: at.doubles + sensorFaults.size.doubles + 2,
      floats: at.floats + sensorFaults.size.floats + 2,
    });
    state.doubles.fill(7);
    state.floats.fill(7);
    sensorFaults.reset(state, at);
    const readings = healthySeries['a temperature with its days']?.(new SimRandom(1), 600) ?? [];
    const faulty = readings.map((reading, index) => (index > 500 ? { ...reading, value: 90 } : reading));
    const found = faulty.map((reading) => sensorFaults.observe(state, at, reading, noHints));
    expect(found).toEqual(findingsOf(faulty));
    expect(found.flat()).not.toEqual([]);
    const around = [
      ...state.doubles.subarray(0, 3),
      ...state.doubles.subarray(-2),
      ...state.floats.subarray(0, 5),
      ...state.floats.subarray(-2),
    ];
    expect(new Set(around)).toEqual(new Set([7]));
  });

  test('give the same empty list whenever nothing is wrong', () => {
    const found = findingsOf(healthySeries['white noise']?.(new SimRandom(1), 100) ?? []);
    expect(new Set(found).size).toBe(1);
    expect(Object.isFrozen(found[0])).toBe(true);
  });

  test('find the same after a restart at any reading', () => {
    fc.assert(
      fc.property(knownThenAny, fc.nat(), (readings, cut) => {
        const at = cut % readings.length;
        const before = freshState();
        const first = findingsOf(readings.slice(0, at), noHints, before);
        const after = newSeriesState(sensorFaults.size);
        after.bytes.set(before.bytes);
        // Another series is observed in between: nothing of it stays anywhere else.
        findingsOf(readings.slice(0, 3));
        expect([...first, ...findingsOf(readings.slice(at), noHints, after)]).toEqual(findingsOf(readings));
      }),
      { numRuns: 60 },
    );
  });

  test('give finite numbers and words for whatever comes', () => {
    fc.assert(
      fc.property(knownThenAny, (readings) => {
        for (const finding of findingsOf(readings).flat()) {
          expect(numbersOf(finding).every(Number.isFinite)).toBe(true);
          expect(finding.severity).toBeGreaterThanOrEqual(1);
          expect(finding.severity).toBeLessThanOrEqual(1000);
          expect(finding.words.join().length).toBeGreaterThan(10);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('tell that a sentinel, a duplicate and a late reading are no measurements', () => {
    const state = freshState();
    const observe = (minute: number, value: number): boolean => {
      const reading = { timeMs: startMs + minute * minuteMs, value, sourceTimeMs: null };
      sensorFaults.observe(state, begin, reading, noHints);
      return sensorFaults.isMeasurement(state, begin);
    };
    const measured = Array.from({ length: 50 }, (_, minute) => observe(minute, 20 + Math.sin(minute)));
    expect(measured).not.toContain(false);
    expect(observe(50, Number.NaN)).toBe(false);
    expect(observe(51, -127)).toBe(false);
    expect(observe(52, 20)).toBe(true);
    expect(observe(52, 20)).toBe(false);
    expect(observe(40, 20)).toBe(false);
    expect(observe(53, 20.5)).toBe(true);
  });
});

test('a rule is silenced only by rules before it', () => {
  const kindsBefore = new Set<FindingKind>();
  for (const rule of rules) {
    expect(rule.silencedBy.filter((kind) => !kindsBefore.has(kind))).toEqual([]);
    if (rule === outOfRangeRule) kindsBefore.add('out-of-range');
  }
});

describe.each(Object.entries(healthySeries))('%s', (_, make) => {
  test('gives less than one false alert a week', () => {
    let alerts = 0;
    let lastedMs = 0;
    for (const seed of [1, 2, 3]) {
      const readings = make(new SimRandom(seed), 8000);
      lastedMs += (readings.at(-1)?.timeMs ?? 0) - (readings[0]?.timeMs ?? 0);
      for (const [kind, count] of alertsOf(readings)) if (kind !== 'counter-reset') alerts += count;
    }
    expect(alerts).toBeLessThanOrEqual(Math.floor(lastedMs / weekMs));
  });
});
