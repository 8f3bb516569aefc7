import type { Expected, Finding, ValueRange } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

const LOW = 0;
const HIGH = 1;
const PEAK = 2;
const ACTIVE = 3;

/** A value is clearly beyond all others if it is so much of their range away, … */
const leastMargin = 0.3;

/** … and so much more, divided by how many there were. */
const youthMargin = 60;

/** A new series in coarse steps takes so many of them at least. */
const marginQuanta = 3;

/** Fewer values say little of the range. */
const countKnown = 32;

/** Once out of range, a value is so until it is within this share of the margin. */
const release = 0.5;

/** When the series has come back by itself, the range grows by this share of how far it was out: others like it are told a few times. */
const returnedShare = 0.6;

/** A value out of range moves the range by this share of the way: a new normal is one after as many readings. */
const acceptedShare = 1 / 40;

/** Values beyond a limit that the configuration names, or clearly beyond all that the series has ever shown. */
export const outOfRangeRule: Rule = {
  size: { doubles: 4, floats: 0 },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe({ doubles }: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const { reading, hints, count } = observed;
    const { value } = reading;
    const begin = at.doubles;
    const low = count === 0 ? value : (doubles[begin + LOW] ?? 0);
    const high = count === 0 ? value : (doubles[begin + HIGH] ?? 0);
    const margin = marginOf(low, high, observed);
    const isJudged = isRangeKnown(low, high, observed);
    const wasBeyond = (doubles[begin + ACTIVE] ?? 0) !== 0;
    const reach = wasBeyond ? release * margin : margin;
    const isBeyond = isJudged && (value < low - reach || value > high + reach);
    doubles[begin + ACTIVE] = isBeyond ? 1 : 0;
    learnRange(doubles, begin, low, high, value, isBeyond, wasBeyond);

    const { min, max } = hints;
    if (min !== null && value < min) {
      const expected = rangeOf(min, max ?? Math.max(high, min));
      const words = [`${inWords(value)} is below the limit ${inWords(min)}`];
      return faultFinding('out-of-range', 800, words, { expected });
    }
    if (max !== null && value > max) {
      const expected = rangeOf(min ?? Math.min(low, max), max);
      const words = [`${inWords(value)} is above the limit ${inWords(max)}`];
      return faultFinding('out-of-range', 800, words, { expected });
    }
    if (!isBeyond) return null;
    const words = [
      `${inWords(value)} is far from all values so far`,
      `the ${count} before were ${inWords(low)} to ${inWords(high)}`,
    ];
    const expected = rangeOf(low - margin, high + margin);
    return faultFinding('out-of-range', 600, words, { expected, isWarmingUp: observed.isNew });
  },
};

/** Beyond which limits a value is out of range, by what is known now: those of the configuration, and those learned where they are narrower. */
export function valueRange(
  { doubles }: SeriesState,
  { doubles: begin }: StateSize,
  observed: Observed,
): ValueRange {
  const { min, max } = observed.hints;
  const low = doubles[begin + LOW] ?? 0;
  const high = doubles[begin + HIGH] ?? 0;
  if (!isRangeKnown(low, high, observed)) return { low: min, high: max };
  const margin = marginOf(low, high, observed);
  return {
    low: Math.max(min ?? Number.NEGATIVE_INFINITY, low - margin),
    high: Math.min(max ?? Number.POSITIVE_INFINITY, high + margin),
  };
}

const isRangeKnown = (low: number, high: number, { count, isCounter }: Observed): boolean =>
  count >= countKnown && high > low && !isCounter;

/** How far beyond all values so far one has to be. */
function marginOf(low: number, high: number, { count, newQuantum, caution }: Observed): number {
  const share = leastMargin + youthMargin / Math.max(count, 1);
  return Math.max((high - low) * share, marginQuanta * newQuantum) * caution;
}

function learnRange(
  doubles: Float64Array,
  begin: number,
  low: number,
  high: number,
  value: number,
  isBeyond: boolean,
  wasBeyond: boolean,
): void {
  let newLow = low;
  let newHigh = high;
  if (wasBeyond && !isBeyond) {
    const peak = doubles[begin + PEAK] ?? 0;
    if (peak < low) newLow += returnedShare * (peak - low);
    if (peak > high) newHigh += returnedShare * (peak - high);
  }
  const share = isBeyond ? acceptedShare : 1;
  if (value < newLow) newLow += share * (value - newLow);
  if (value > newHigh) newHigh += share * (value - newHigh);
  doubles[begin + LOW] = newLow;
  doubles[begin + HIGH] = newHigh;
  if (!isBeyond) return;
  const middle = low / 2 + high / 2;
  const isFarther = Math.abs(value - middle) > Math.abs((doubles[begin + PEAK] ?? 0) - middle);
  if (!wasBeyond || isFarther) doubles[begin + PEAK] = value;
}

function rangeOf(low: number, high: number): Expected {
  return { value: low / 2 + high / 2, low, high };
}
