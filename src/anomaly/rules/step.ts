import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import { gaugeDoubles, gaugeIsExceeded, gaugeRecord } from './gauge.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

const BASE = 0;
const JUMP = 1;
const AGE = 2;
const GAUGE = 3;

/** A step is impossible if it is so many times the largest of before. */
const margin = 1.8;

/** In a new series, so many coarse steps at once are none to speak of. */
const floorQuanta = 2;

/** A jump is a spike if the series is back within so many readings, but for this share of the jump. */
const spikeReadings = 4;
const returnShare = 0.35;

/** After a pause a step may be larger, by the number of intervals that passed; but not without end. */
const pauseIntervals = 64;

/**
 * Steps larger than the sensor has ever made ("rate" and "spike" or "short" faults: Ni et al. 2009, Sharma et al. 2010). A
 * jump is told at once as a rate; when the series returns, it was a spike.
 */
export const stepRule: Rule = {
  size: { doubles: GAUGE + gaugeDoubles, floats: 0 },
  consequence: 'none',
  silencedBy: ['out-of-range'],

  reset(): void {},

  observe(state: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const { doubles } = state;
    const begin = at.doubles;
    const { step, previous, reading, intervalMs, elapsedMs } = observed;
    const intervals = intervalMs > 0 ? Math.min(Math.max(elapsedMs / intervalMs, 1), pauseIntervals) : 1;
    const size = Math.abs(step) / intervals;
    const floor = floorQuanta * observed.newQuantum;
    const record = gaugeRecord(state, begin + GAUGE);
    const isJump = gaugeIsExceeded(state, begin + GAUGE, size, margin, floor, observed);
    const jump = doubles[begin + JUMP] ?? 0;
    if (jump !== 0) {
      const base = doubles[begin + BASE] ?? 0;
      const age = (doubles[begin + AGE] ?? 0) + 1;
      doubles[begin + AGE] = age;
      const isBack = Math.abs(reading.value - base) <= returnShare * Math.abs(jump);
      if (isBack || age >= spikeReadings) doubles[begin + JUMP] = 0;
      if (isBack) {
        const words = [`from ${inWords(base)} to ${inWords(base + jump)}`, `back after ${age} readings`];
        return faultFinding('spike', 400, words, { isWarmingUp: observed.isNew });
      }
    }
    if (!isJump) return null;
    if (jump === 0) {
      doubles[begin + BASE] = previous;
      doubles[begin + JUMP] = step;
      doubles[begin + AGE] = 0;
    }
    const reach = record * margin * intervals;
    const expected = { value: previous, low: previous - reach, high: previous + reach };
    const words = [`a step of ${inWords(step)}`, `${inWords(record)} a reading at most before`];
    return faultFinding('rate', 500, words, { expected, isWarmingUp: observed.isNew });
  },
};
