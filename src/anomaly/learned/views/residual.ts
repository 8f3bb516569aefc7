import type { SeriesState, StateSize } from '../../detection/series-state.ts';
import { inDeviations, type View } from './view.ts';

const LEVEL = 0;
const TREND = 1;
const SCALE = 2;
const COUNT = 3;
/** Errors in a row that were clipped at the same side; negative below. */
const CLIPPED_RUN = 4;

const LEVEL_RATE = 0.4;
const TREND_RATE = 0.02;
const TREND_DAMPING = 0.9;
/** Slow, so that after a quiet hour not each tremor is a surprise. */
const SCALE_RATE = 0.005;
/** An error counts up to so many scales: a single wild value is not followed. */
const CLIP = 3;
/** After so many in a row on the same side it is a new level, and the prediction begins anew from there. */
const READINGS_OF_NEW_LEVEL = 4;
/** Before so many readings errors are not clipped, for nobody knows their scale. */
const READINGS_TO_BEGIN = 10;

/**
 * How far a value is from a prediction by the last ones: Holt's exponential smoothing with a damped trend, and with
 * errors clipped as in Gelper, Fried and Croux, "Robust forecasting with exponential and Holt-Winters smoothing" (2010).
 */
export const residual: View = {
  name: 'residual',
  size: { doubles: 5, floats: 0 },
  usualScore: 3,

  score(state, at, { value, isAfterGap }) {
    if (isAfterGap || (state.doubles[at.doubles + COUNT] ?? 0) < READINGS_TO_BEGIN) return 0;
    return inDeviations(value - predictedValue(state, at), predictionScale(state, at));
  },

  learn(state, at, { value, isAfterGap }) {
    const { doubles } = state;
    const offset = at.doubles;
    const count = doubles[offset + COUNT] ?? 0;
    doubles[offset + COUNT] = count + 1;
    if (count === 0 || isAfterGap) {
      doubles[offset + LEVEL] = value;
      doubles[offset + TREND] = 0;
      return;
    }
    const predicted = predictedValue(state, at);
    const scale = predictionScale(state, at);
    const error = value - predicted;
    const limit = count < READINGS_TO_BEGIN || scale === 0 ? Number.MAX_VALUE : CLIP * scale;
    const clipped = Math.max(-limit, Math.min(limit, error));
    const lastRun = doubles[offset + CLIPPED_RUN] ?? 0;
    const side = clipped === error ? 0 : Math.sign(error);
    const run = side * lastRun > 0 ? lastRun + side : side;
    const isNewLevel = Math.abs(run) === READINGS_OF_NEW_LEVEL;
    const trend = TREND_DAMPING * (doubles[offset + TREND] ?? 0);
    doubles[offset + LEVEL] = isNewLevel ? value : predicted + LEVEL_RATE * clipped;
    doubles[offset + TREND] = isNewLevel ? 0 : trend + TREND_RATE * clipped;
    doubles[offset + CLIPPED_RUN] = isNewLevel ? 0 : run;
    const size = Math.min(Math.abs(error), 2 * limit);
    doubles[offset + SCALE] = scale + Math.max(SCALE_RATE, 1 / count) * (size - scale);
  },

  words: () => 'far from what the last values led to expect',
};

/** The value that the next reading is expected to have. */
export function predictedValue({ doubles }: SeriesState, { doubles: at }: StateSize): number {
  return (doubles[at + LEVEL] ?? 0) + TREND_DAMPING * (doubles[at + TREND] ?? 0);
}

/** How far predictions are off on average. */
export function predictionScale({ doubles }: SeriesState, { doubles: at }: StateSize): number {
  return doubles[at + SCALE] ?? 0;
}
