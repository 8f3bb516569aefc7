import type { Reading } from '../../src/anomaly/detection/reading.ts';
import type { Random } from '../../src/core/random.ts';
import type { LabelledSeries } from './nab-corpus.ts';
import { probationRows } from './nab-scoring.ts';

/** Faults as sensors have them, see Ni et al. 2009, "Sensor network data fault types". */
export const faultTypes = ['stuck-at', 'drop', 'spike', 'noise', 'offset', 'drift', 'dropout'] as const;

export type FaultType = (typeof faultTypes)[number];

/** So many readings a fault lasts; a spike is one reading. */
export const FAULT_READINGS = 60;
/** What is found so many readings after the end of a fault is still the fault. */
export const GRACE_READINGS = 10;

const SPIKE_RANGES = 1.5;
const NOISE_FACTOR = 4;
const OFFSET_RANGES = 0.6;
const DRIFT_RANGES = 0.8;
/** So far below the range a sensor drops. */
const DROP_RANGES = 0.25;
/** What counts as the range of a series, by the share of its readings that are beyond it at either end. */
export const rangeTails = { usual: 0.01, whole: 0 } as const;

export type RangeKind = keyof typeof rangeTails;
/** A series without any noise gets some of its range. */
const NOISE_RANGES_MIN = 0.01;

/** Where a fault begins: a row of a series, around which nothing is labelled. */
export interface Place {
  readonly series: LabelledSeries;
  readonly row: number;
}

/** What was usual of a series before a fault. */
export interface Usual {
  /** Its last reading. */
  readonly last: number;
  readonly low: number;
  readonly range: number;
  /** The standard deviation of what one reading differs from the next, for one of the two. */
  readonly noise: number;
}

/**
 * What is usual of readings. Of a hundred the lowest and the highest are beyond their usual range: faults as large as the one
 * outlier of old, anybody finds. Where there is nothing else, they are the range.
 */
export function usualOf(readings: readonly Reading[], kind: RangeKind): Usual {
  const tail = rangeTails[kind];
  const sorted = Float64Array.from(readings, ({ value }) => value).sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const isFlat = at(tail) === at(1 - tail);
  const low = at(isFlat ? 0 : tail);
  const range = at(isFlat ? 1 : 1 - tail) - low;
  const squares = readings.reduce(
    (sum, { value }, index) => sum + (value - (readings[index - 1]?.value ?? value)) ** 2,
    0,
  );
  const noise = Math.sqrt(squares / Math.max(1, readings.length - 1) / 2);
  const last = readings.at(-1)?.value ?? 0;
  return { last, low, range, noise: Math.max(noise, NOISE_RANGES_MIN * range) };
}

/** Normally distributed, by the method of Box and Muller (1958). */
const gaussian = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/**
 * The readings of a series from a fault on: those of the fault, then, clean again, those in which it may still be found. A dropout has none of its own. `clean`
 * are the readings from the fault on as they were.
 */
export function injected(
  type: FaultType,
  { last, low, range, noise }: Usual,
  clean: readonly Reading[],
  random: Random,
): readonly Reading[] {
  const sign = random.next() < 0.5 ? -1 : 1;
  const faultyValue = (value: number, at: number): number => {
    switch (type) {
      case 'stuck-at':
        return last;
      case 'drop':
        return low - DROP_RANGES * range;
      case 'spike':
        return at === 0 ? value + sign * SPIKE_RANGES * range : value;
      case 'noise':
        // What is there already counts for one.
        return value + Math.sqrt(NOISE_FACTOR ** 2 - 1) * noise * gaussian(random);
      case 'offset':
        return value + sign * OFFSET_RANGES * range;
      case 'drift':
        return value + (sign * DRIFT_RANGES * range * (at + 1)) / FAULT_READINGS;
      case 'dropout':
        return value;
    }
  };
  const faulty = clean
    .slice(0, FAULT_READINGS)
    .map((reading, at) => ({ ...reading, value: faultyValue(reading.value, at) }));
  const after = clean.slice(FAULT_READINGS, FAULT_READINGS + GRACE_READINGS);
  return type === 'dropout' ? after : [...faulty, ...after];
}

/** Whether a fault can begin at a row: after the warm-up, nothing labelled from just before to just after, and not all values the same. */
function isClear({ rows, windows }: LabelledSeries, row: number): boolean {
  const first = row - GRACE_READINGS;
  const last = row + FAULT_READINGS + GRACE_READINGS;
  if (first < probationRows(rows.length) || last >= rows.length) return false;
  if (windows.some((window) => window.first <= last && window.last >= first)) return false;
  return rows.slice(row, row + FAULT_READINGS).some(({ value }) => value !== rows[row]?.value);
}

/** So many places, spread evenly over the series and by chance within each. Series that have none are left out. */
export function placesIn(series: readonly LabelledSeries[], count: number, random: Random): readonly Place[] {
  const clear = series
    .map((one) => ({ series: one, rows: [...one.rows.keys()].filter((row) => isClear(one, row)) }))
    .filter(({ rows }) => rows.length > 0);
  const places: Place[] = [];
  while (places.length < count && clear.length > 0) {
    for (const { series: one, rows } of clear.slice(0, count - places.length)) {
      places.push({ series: one, row: rows[Math.floor(random.next() * rows.length)] ?? 0 });
    }
  }
  return places;
}
