import { describe, expect, test } from 'vitest';
import type { FindingKind } from '../../../src/anomaly/detection/finding.ts';
import { noHints } from '../../../src/anomaly/detection/reading.ts';
import { outOfRangeRule } from '../../../src/anomaly/rules/out-of-range.ts';
import { rules, sensorFaults } from '../../../src/anomaly/rules/sensor-faults.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { alertsOf, begin, freshState, healthySeries, minuteMs, startMs } from './synthetic-series.ts';

const weekMs = 7 * 24 * 3600 * 1000;

describe('all rules together', () => {
  test('keep no more than 1.5 KiB of a series', () => {
    const { doubles, floats } = sensorFaults.size;
    expect(doubles * 8 + floats * 4).toBeLessThanOrEqual(1536);
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
