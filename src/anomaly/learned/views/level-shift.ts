import { inDeviations, type View } from './view.ts';

const COUNT = 0;
const SHORT_MEAN = 1;
const LONG_MEAN = 2;
const USUAL_DISTANCE = 3;

const SHORT_RATE = 1 / 12;
const LONG_RATE = 0.002;
/** A distance counts up to so many usual ones, so that one wild value does not spoil the measure. */
const MOST_DISTANCES = 10;
const READINGS_TO_BEGIN = 30;

/**
 * How far the mean of the last readings is from that of many, as a multiple of how far it usually is: the chart of
 * exponentially weighted means (Roberts 1959), with limits that come from the series itself, as its readings are not
 * independent.
 */
export const levelShift: View = {
  name: 'level-shift',
  size: { doubles: 4, floats: 0 },
  usualScore: 3,

  score({ doubles }, { doubles: at }, { value, isAfterGap }) {
    if ((doubles[at + COUNT] ?? 0) < READINGS_TO_BEGIN) return 0;
    const last = doubles[at + (isAfterGap ? LONG_MEAN : SHORT_MEAN)] ?? 0;
    const short = last + SHORT_RATE * (value - last);
    return inDeviations(short - (doubles[at + LONG_MEAN] ?? 0), doubles[at + USUAL_DISTANCE] ?? 0);
  },

  learn({ doubles }, { doubles: at }, { value, isAfterGap }) {
    const count = (doubles[at + COUNT] ?? 0) + 1;
    doubles[at + COUNT] = count;
    if (count === 1) doubles[at + LONG_MEAN] = value;
    const short = doubles[at + (count === 1 || isAfterGap ? LONG_MEAN : SHORT_MEAN)] ?? 0;
    const long = doubles[at + LONG_MEAN] ?? 0;
    const usual = doubles[at + USUAL_DISTANCE] ?? 0;
    const shortNow = short + Math.max(SHORT_RATE, 1 / count) * (value - short);
    const rate = Math.max(LONG_RATE, 1 / count);
    const limit = usual > 0 ? MOST_DISTANCES * usual : Number.MAX_VALUE;
    doubles[at + SHORT_MEAN] = shortNow;
    doubles[at + USUAL_DISTANCE] = usual + rate * (Math.min(limit, Math.abs(shortNow - long)) - usual);
    doubles[at + LONG_MEAN] = long + rate * (value - long);
  },

  words: () => 'a shift of its level',
};
