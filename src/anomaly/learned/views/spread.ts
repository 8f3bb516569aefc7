/** The numbers of a spread: where it is centred, how far values are from there on average, and how many there were. */
export const spreadDoubles = 3;
const CENTRE = 0;
const DEVIATION = 1;
const COUNT = 2;

/** A value further away counts as if it were so many deviations away: one wild value is not to spoil the measure. */
const MOST_DEVIATIONS = 10;

/** Where values are centred, as known at `at`. */
export function centreOf(doubles: Float64Array, at: number): number {
  return doubles[at + CENTRE] ?? 0;
}

/** The mean absolute deviation from the centre: unlike the standard deviation, a heavy tail does not rule it. */
export function deviationOf(doubles: Float64Array, at: number): number {
  return doubles[at + DEVIATION] ?? 0;
}

/** How many values it was learned from. */
export function countOf(doubles: Float64Array, at: number): number {
  return doubles[at + COUNT] ?? 0;
}

/** Takes a value in: the mean of all at first, then one that forgets by `rate` a value. */
export function learnSpread(doubles: Float64Array, at: number, value: number, rate: number): void {
  const count = countOf(doubles, at) + 1;
  const deviation = deviationOf(doubles, at);
  const step = Math.max(rate, 1 / count);
  const error = clippedTo(doubles, at, value) - centreOf(doubles, at);
  doubles[at + CENTRE] = centreOf(doubles, at) + step * error;
  doubles[at + DEVIATION] = deviation + step * (Math.abs(error) - deviation);
  doubles[at + COUNT] = count;
}

/** The value, or the nearest one that is no wild one. */
export function clippedTo(doubles: Float64Array, at: number, value: number): number {
  const deviation = deviationOf(doubles, at);
  if (deviation === 0) return value;
  const centre = centreOf(doubles, at);
  return Math.max(
    centre - MOST_DEVIATIONS * deviation,
    Math.min(centre + MOST_DEVIATIONS * deviation, value),
  );
}
