import { centreOf, countOf, deviationOf, learnSpread, spreadDoubles } from './spread.ts';
import type { View } from './view.ts';

const BINS = 10;
/** A bin is so many deviations wide; the outer ones have no end. */
const BIN_WIDTH = 1;
const SPREAD_RATE = 0.001;
const SHORT_RATE = 1 / 30;
const LONG_RATE = 0.001;
/** A bin never seen is taken for one seen so rarely. */
const LEAST_SHARE = 0.001;
/** Before so many readings bins have no place, and before twice as many the mixes say nothing. */
const READINGS_TO_BEGIN = 30;

/**
 * How far the mix of the last values is from the mix of many: relative entropy of two histograms that forget at unlike rates
 * (after Wang et al., "Statistical techniques for online anomaly detection in data centers", 2011).
 */
export const valueMix: View = {
  name: 'value-mix',
  size: { doubles: spreadDoubles, floats: 2 * BINS },
  usualScore: 1,

  score({ doubles, floats }, at, { value }) {
    if (countOf(doubles, at.doubles) < 2 * READINGS_TO_BEGIN) return 0;
    const bin = binOf(doubles, at.doubles, value);
    let entropy = 0;
    for (let k = 0; k < BINS; k++) {
      const share = (floats[at.floats + k] ?? 0) * (1 - SHORT_RATE) + (k === bin ? SHORT_RATE : 0);
      if (share < LEAST_SHARE) continue;
      entropy += share * Math.log(share / ((floats[at.floats + BINS + k] ?? 0) + LEAST_SHARE));
    }
    return Math.max(0, entropy);
  },

  learn({ doubles, floats }, at, { value }) {
    const seen = countOf(doubles, at.doubles) + 1 - READINGS_TO_BEGIN;
    if (seen > 0) {
      const bin = binOf(doubles, at.doubles, value);
      const short = Math.max(SHORT_RATE, 1 / seen);
      const long = Math.max(LONG_RATE, 1 / seen);
      for (let k = at.floats; k < at.floats + BINS; k++) {
        const hit = k === at.floats + bin ? 1 : 0;
        floats[k] = (floats[k] ?? 0) + short * (hit - (floats[k] ?? 0));
        floats[k + BINS] = (floats[k + BINS] ?? 0) + long * (hit - (floats[k + BINS] ?? 0));
      }
    }
    learnSpread(doubles, at.doubles, value, SPREAD_RATE);
  },

  words: () => 'another mix of values than before',
};

function binOf(doubles: Float64Array, at: number, value: number): number {
  const distance = value - centreOf(doubles, at);
  const width = BIN_WIDTH * deviationOf(doubles, at);
  const place = width > 0 ? distance / width : Math.sign(distance);
  return Math.max(0, Math.min(BINS - 1, Math.floor(place + BINS / 2)));
}
