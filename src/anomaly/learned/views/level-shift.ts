import { centreOf, clippedTo, countOf, learnSpread, spreadDoubles } from './spread.ts';
import { inDeviations, type View } from './view.ts';

/** Of the last values, as a distance from the centre of many. */
const SHORT_MEAN = spreadDoubles;
const USUAL_DISTANCE = spreadDoubles + 1;

const SHORT_RATE = 1 / 12;
const LONG_RATE = 0.002;
const READINGS_TO_BEGIN = 30;

/**
 * How far the mean of the last readings is from that of many, as a multiple of how far it usually is: the chart of
 * exponentially weighted means (Roberts 1959), with limits that come from the series itself, as its readings are not
 * independent.
 */
export const levelShift: View = {
  name: 'level-shift',
  size: { doubles: spreadDoubles + 2, floats: 0 },
  usualScore: 3,

  score({ doubles }, { doubles: at }, { value, isAfterGap }) {
    if (countOf(doubles, at) < READINGS_TO_BEGIN) return 0;
    return inDeviations(
      shortMean(doubles, at, value, isAfterGap) - centreOf(doubles, at),
      doubles[at + USUAL_DISTANCE] ?? 0,
    );
  },

  learn({ doubles }, { doubles: at }, { value, isAfterGap }) {
    const short = countOf(doubles, at) === 0 ? value : shortMean(doubles, at, value, isAfterGap);
    const usual = doubles[at + USUAL_DISTANCE] ?? 0;
    const distance = Math.abs(short - centreOf(doubles, at));
    const rate = Math.max(LONG_RATE, 1 / (countOf(doubles, at) + 1));
    doubles[at + SHORT_MEAN] = short;
    if (countOf(doubles, at) > 0) doubles[at + USUAL_DISTANCE] = usual + rate * (distance - usual);
    learnSpread(doubles, at, value, LONG_RATE);
  },

  words: () => 'a shift of its level',
};

/** The mean of the last values, this one included; nothing is known of them after a gap. */
function shortMean(doubles: Float64Array, at: number, value: number, isAfterGap: boolean): number {
  const last = isAfterGap ? centreOf(doubles, at) : (doubles[at + SHORT_MEAN] ?? 0);
  return last + Math.max(SHORT_RATE, 1 / (countOf(doubles, at) + 1)) * (clippedTo(doubles, at, value) - last);
}
