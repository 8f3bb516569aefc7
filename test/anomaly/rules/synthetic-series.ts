import type { Finding, FindingKind } from '../../../src/anomaly/detection/finding.ts';
import { noHints, type Reading, type SeriesHints } from '../../../src/anomaly/detection/reading.ts';
import { newSeriesState, type SeriesState } from '../../../src/anomaly/detection/series-state.ts';
import { sensorFaults } from '../../../src/anomaly/rules/sensor-faults.ts';
import { SimRandom } from '../../support/sim-random.ts';

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
export const startMs = Date.UTC(2025, 2, 3);
export const begin = { doubles: 0, floats: 0 };

/** Normally distributed, by the method of Box and Muller (1958). */
const gaussian = (random: SimRandom): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

const dayWave = (timeMs: number): number => Math.sin((2 * Math.PI * timeMs) / dayMs);

type Values = (timeMs: number, random: SimRandom) => number;

/** Readings of a healthy sensor, one each interval. */
function every(intervalMs: number, values: Values): (random: SimRandom, count: number) => Reading[] {
  return (random, count) =>
    Array.from({ length: count }, (_, index) => {
      const timeMs = startMs + index * intervalMs;
      return { timeMs, value: values(timeMs, random), sourceTimeMs: null };
    });
}

const roundTo = (value: number, step: number): number => Math.round(value / step) * step;

const temperature: Values = (timeMs, random) => 20 + 5 * dayWave(timeMs) + 0.2 * gaussian(random);

/** Opens by day now and then, at any time. */
function onOff(random: SimRandom, count: number): Reading[] {
  let isOn = false;
  return every(minuteMs, (timeMs) => {
    if (random.chance(isOn ? 1 / 15 : 0.005 + 0.03 * Math.max(dayWave(timeMs), 0))) isOn = !isOn;
    return isOn ? 1 : 0;
  })(random, count);
}

function counter(random: SimRandom, count: number): Reading[] {
  let total = 0;
  return every(minuteMs, () => {
    total = random.chance(1 / 3000) ? 0 : total + random.below(5);
    return total;
  })(random, count);
}

function irregular(random: SimRandom, count: number): Reading[] {
  let timeMs = startMs;
  return Array.from({ length: count }, () => {
    timeMs += Math.ceil(-minuteMs * Math.log(1 - random.next()));
    return { timeMs, value: temperature(timeMs, random), sourceTimeMs: null };
  });
}

function wandering(random: SimRandom, count: number): Reading[] {
  let value = 50;
  return every(minuteMs, () => {
    value += 0.1 * gaussian(random) - 0.002 * (value - 50);
    return value;
  })(random, count);
}

/** Healthy series of the kinds that sensors send, by name. */
export const healthySeries: Readonly<Record<string, (random: SimRandom, count: number) => Reading[]>> = {
  'a temperature with its days': every(5 * minuteMs, temperature),
  'white noise': every(1000, (_, random) => gaussian(random)),
  'a temperature in steps of half a degree': every(minuteMs, (timeMs, random) =>
    roundTo(temperature(timeMs, random), 0.5),
  ),
  'light that is zero at night': every(5 * minuteMs, (timeMs, random) =>
    Math.max(0, Math.round(500 * dayWave(timeMs) * (0.9 + 0.1 * random.next()))),
  ),
  'a door that opens and closes': onOff,
  'a counter that begins anew now and then': counter,
  'a temperature at irregular times': irregular,
  'a value that wanders': wandering,
  'a constant': every(minuteMs, () => 42),
};

/** A new state of the rules. */
export function freshState(): SeriesState {
  const state = newSeriesState(sensorFaults.size);
  sensorFaults.reset(state, begin);
  return state;
}

/** What the rules find at each reading. */
export function findingsOf(
  readings: readonly Reading[],
  hints: SeriesHints = noHints,
  state: SeriesState = freshState(),
): readonly (readonly Finding[])[] {
  return readings.map((reading) => sensorFaults.observe(state, begin, reading, hints));
}

/** How many readings after `from` a kind is first found; infinite if it is not. */
export function delayOf(
  kind: FindingKind,
  readings: readonly Reading[],
  from: number,
  hints: SeriesHints = noHints,
): number {
  const at = findingsOf(readings, hints).findIndex(
    (findings, index) => index >= from && findings.some((finding) => finding.kind === kind),
  );
  return at < 0 ? Number.POSITIVE_INFINITY : at - from;
}

/** How often a kind begins to be found. */
export function alertsOf(
  readings: readonly Reading[],
  hints: SeriesHints = noHints,
): Map<FindingKind, number> {
  const alerts = new Map<FindingKind, number>();
  let before: readonly Finding[] = [];
  for (const findings of findingsOf(readings, hints)) {
    for (const { kind } of findings) {
      if (!before.some((finding) => finding.kind === kind)) alerts.set(kind, (alerts.get(kind) ?? 0) + 1);
    }
    before = findings;
  }
  return alerts;
}

/** A temperature with its days, each five minutes for three weeks, with a fault from `from` on. */
export function faultyTemperature(
  seed: number,
  from: number,
  fault: (reading: Reading, at: number, random: SimRandom) => Reading,
): Reading[] {
  const random = new SimRandom(seed);
  return every(5 * minuteMs, temperature)(random, 6000).map((reading, index) =>
    index < from ? reading : fault(reading, index - from, random),
  );
}
