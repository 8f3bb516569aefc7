import { limits } from '../../core/limits.ts';
import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import { gaugeDoubles, gaugeIsExceeded, gaugeRecord } from './gauge.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

const LAST = 0;
const LAST_BUT_ONE = 1;
const SLOW = 2;
const SLOW_ERROR = 3;
const FAST = 4;
const MIDDLE = 5;
const SHIFT = 6;
const DRIFT = 7;
const DAY_SHIFT = 8;
const DAY_DRIFT = 9;
const JUMP = 10;
const KIND = 11;
const EDGE_GAUGE = 12;
const SHIFT_GAUGE = EDGE_GAUGE + gaugeDoubles;
const DRIFT_GAUGE = SHIFT_GAUGE + gaugeDoubles;
const DAY_SHIFT_GAUGE = DRIFT_GAUGE + gaugeDoubles;
const DAY_DRIFT_GAUGE = DAY_SHIFT_GAUGE + gaugeDoubles;

/** Half hours of a day (UTC), each with its mean and how many readings that is made of. */
const slots = 48;
const wholeDay = slots * limits.daySlotMs;

/** The time of day counts once so many days were seen. */
const daysKnown = 2;

/** The mean of a half hour follows the last days. */
const daysKept = 6;

const slowReadings = 256;
const fastReadings = 4;
const middleReadings = 16;
/** After so many intervals without a reading, the fast and the middle mean begin anew. */
const pauseIntervals = 8;

const shiftReadings = 8;
const driftReadings = 32;

/** What is learned at one reading is bounded by so many usual errors (Huber 1964), so that faults teach little. */
const boundErrors = 4;

/** The usual error is known after so many readings. */
const errorReadings = 32;

/** Smaller departures, in mean departures of the level from its slow mean, are none to speak of, however rare; nor, in a new series, a few coarse steps. */
const levelFloor = 1.5;
const edgeFloor = 0.5;
const dayFloor = 0.5;
const floorQuanta = 2;

/** Levels need days to be known: the margin is so much larger, divided by how many were seen, from half a day on. */
const youthMargin = 2;

const edgeMargin = 1.4;
const levelMargin = 1.15;

/** A departure that has had a jump of such a share of it is a shift, else a drift; jumps fade by so much from reading to reading. */
const jumpShare = 0.5;
const jumpFade = 0.97;

/**
 * A level that differs from what was expected by more than it ever did ("offset", "drift", "calibration" faults: Ni et al. 2009,
 * de Bruijn et al. 2016). Expected is what was just before, the slow mean, and once days were seen the mean of the time of day;
 * each has a gauge of its own. Medians of three keep spikes out.
 */
export const levelRule: Rule = {
  size: { doubles: DAY_DRIFT_GAUGE + gaugeDoubles, floats: 2 * slots },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe(state: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const { doubles } = state;
    const begin = at.doubles;
    const { count, isCounter, ageMs, elapsedMs, intervalMs } = observed;
    if (isCounter) return null;
    const level = medianOfThree(doubles, begin, observed);
    const dayMiss = missOfDay(state, at, level, observed);
    const error = doubles[begin + SLOW_ERROR] ?? 0;
    const miss = missOfSlow(doubles, begin, level, count);
    // After a pause, the level may have moved meanwhile: what was just before says nothing.
    const recent = elapsedMs > pauseIntervals * intervalMs ? 0 : count;
    const fast = average(doubles, begin + FAST, level, fastReadings, recent);
    const middle = average(doubles, begin + MIDDLE, level, middleReadings, recent);
    const edge = fast - middle;
    const shift = average(doubles, begin + SHIFT, miss, shiftReadings, count);
    const drift = average(doubles, begin + DRIFT, miss, driftReadings, count);
    const isEdge = isBeyond(state, begin + EDGE_GAUGE, edge, edgeMargin, edgeFloor * error, observed);
    const isShift = isBeyond(state, begin + SHIFT_GAUGE, shift, levelMargin, levelFloor * error, observed);
    const isDrift = isBeyond(state, begin + DRIFT_GAUGE, drift, levelMargin, levelFloor * error, observed);
    let isDay = false;
    if (ageMs > daysKnown * wholeDay) {
      const dayShift = average(doubles, begin + DAY_SHIFT, dayMiss, shiftReadings, count);
      const dayDrift = average(doubles, begin + DAY_DRIFT, dayMiss, driftReadings, count);
      const floor = dayFloor * error;
      const isDayShift = isBeyond(state, begin + DAY_SHIFT_GAUGE, dayShift, levelMargin, floor, observed);
      const isDayDrift = isBeyond(state, begin + DAY_DRIFT_GAUGE, dayDrift, levelMargin, floor, observed);
      isDay = isDayShift || isDayDrift;
    }
    const jump = Math.max(Math.abs(level - fast), (doubles[begin + JUMP] ?? 0) * jumpFade);
    doubles[begin + JUMP] = jump;
    if (!isEdge && !isShift && !isDrift && !isDay) {
      doubles[begin + KIND] = 0;
      return null;
    }
    const away = isDay ? dayMiss : isEdge ? level - middle : miss;
    const known = doubles[begin + KIND] ?? 0;
    const isSudden = known === 0 ? jump > jumpShare * Math.abs(away) : known === 1;
    doubles[begin + KIND] = isSudden ? 1 : 2;
    const gauge = isDay ? DAY_SHIFT_GAUGE : isEdge ? EDGE_GAUGE : SHIFT_GAUGE;
    const record = gaugeRecord(state, begin + gauge);
    const when = isDay ? ' at this time of day' : isEdge ? ' just before' : '';
    const expected = level - away;
    const words = [
      `${inWords(level)} instead of ${inWords(expected)}${when}`,
      `on average it was at most ${inWords(record)} away before`,
    ];
    return faultFinding(isSudden ? 'level-shift' : 'drift', 400, words, {
      expected: { value: expected, low: expected - record, high: expected + record },
      isWarmingUp: observed.isNew,
    });
  },
};

function isBeyond(
  state: SeriesState,
  begin: number,
  away: number,
  margin: number,
  floor: number,
  observed: Observed,
): boolean {
  const youth = youthMargin / Math.max(observed.ageMs / wholeDay, 0.5);
  const least = Math.max(floor, floorQuanta * observed.newQuantum);
  return gaugeIsExceeded(state, begin, Math.abs(away), margin + youth, least, observed);
}

function average(doubles: Float64Array, at: number, value: number, readings: number, count: number): number {
  const before = doubles[at] ?? 0;
  const after = before + (value - before) / Math.min(count + 1, readings);
  doubles[at] = after;
  return after;
}

/** Of the value and the two before it. */
function medianOfThree(doubles: Float64Array, begin: number, { count, reading }: Observed): number {
  const a = reading.value;
  const b = count === 0 ? a : (doubles[begin + LAST] ?? 0);
  const c = count === 0 ? a : (doubles[begin + LAST_BUT_ONE] ?? 0);
  doubles[begin + LAST] = a;
  doubles[begin + LAST_BUT_ONE] = b;
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** How far the level is from the slow mean, which then takes it in. */
function missOfSlow(doubles: Float64Array, begin: number, level: number, count: number): number {
  const slow = count === 0 ? level : (doubles[begin + SLOW] ?? 0);
  const error = doubles[begin + SLOW_ERROR] ?? 0;
  const miss = level - slow;
  const bound = count < errorReadings ? Number.POSITIVE_INFINITY : boundErrors * error;
  doubles[begin + SLOW] = slow + Math.min(Math.max(miss, -bound), bound) / Math.min(count + 1, slowReadings);
  average(doubles, begin + SLOW_ERROR, Math.min(Math.abs(miss), 2 * bound), 2 * slowReadings, count);
  return miss;
}

/**
 * How far the level is from the means of this half hour of the day and its two neighbours, or 0 if it is between them: what
 * happens every day may come half an hour early or late. Then the mean of this half hour takes it in.
 */
function missOfDay(
  { doubles, floats }: SeriesState,
  at: StateSize,
  level: number,
  observed: Observed,
): number {
  const { reading, intervalMs } = observed;
  const slot = Math.floor((((reading.timeMs % wholeDay) + wholeDay) % wholeDay) / limits.daySlotMs) % slots;
  const visits = floats[at.floats + slots + slot] ?? 0;
  const mean = visits === 0 ? level : (floats[at.floats + slot] ?? 0);
  const before = meanOfSlot(floats, at.floats, slot === 0 ? slots - 1 : slot - 1, mean);
  const after = meanOfSlot(floats, at.floats, slot === slots - 1 ? 0 : slot + 1, mean);
  const low = Math.min(mean, before, after);
  const high = Math.max(mean, before, after);
  const kept = intervalMs > 0 ? Math.max((daysKept * limits.daySlotMs) / intervalMs, 2) : daysKept;
  const bound = visits < 2 ? Number.POSITIVE_INFINITY : boundErrors * (doubles[at.doubles + SLOW_ERROR] ?? 0);
  const miss = Math.min(Math.max(level - mean, -bound), bound);
  floats[at.floats + slot] = mean + miss / Math.min(visits + 1, kept);
  floats[at.floats + slots + slot] = Math.min(visits + 1, kept);
  return level < low ? level - low : Math.max(level - high, 0);
}

function meanOfSlot(floats: Float32Array, begin: number, slot: number, otherwise: number): number {
  return floats[begin + slots + slot] === 0 ? otherwise : (floats[begin + slot] ?? 0);
}
