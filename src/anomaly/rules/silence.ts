import { limits } from '../../core/limits.ts';
import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, timeInWords } from './words.ts';

const LONGEST = 0;

/** A series is silent after so many usual intervals, … */
const silentIntervals = 4;

/** … and after so many times the longest pause that it has made. */
const pauseMargin = 1.5;

/** With few measurements, it is so much more, divided by how many there were. */
const youthMargin = 64;

/** A pause that was a fault lengthens the longest one by this factor at most, so that the next one is found as well. */
const growth = 2.5;

/** Fewer measurements say little of the usual interval. */
const countJudged = 8;

/** After how long without a reading, in milliseconds, the series is silent; infinite while that is not known. Changes nothing. */
export function silentAfterMs({ doubles }: SeriesState, at: StateSize, observed: Observed): number {
  const { intervalMs, count, hints, caution } = observed;
  if (hints.intervalMs !== null) {
    return Math.max(silentIntervals * intervalMs * caution, limits.silenceMsMin);
  }
  if (intervalMs <= 0 || count < countJudged) return Number.POSITIVE_INFINITY;
  const longestMs = doubles[at.doubles + LONGEST] ?? 0;
  const youth = 1 + youthMargin / count;
  const usualMs = Math.max(silentIntervals * intervalMs, pauseMargin * longestMs);
  return Math.max(usualMs * youth * caution, limits.silenceMsMin);
}

/** Finds pauses that ended before a timer looked, and learns how long pauses are. */
export const silenceRule: Rule = {
  size: { doubles: 1, floats: 0 },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe(state: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const { elapsedMs, intervalMs } = observed;
    const begin = at.doubles;
    const longestMs = (state.doubles[begin + LONGEST] ?? 0) * observed.fade;
    const isSilence = elapsedMs > silentAfterMs(state, at, observed);
    const boundMs = isSilence ? growth * Math.max(longestMs, silentIntervals * intervalMs) : elapsedMs;
    state.doubles[begin + LONGEST] = Math.max(longestMs, Math.min(elapsedMs, boundMs));
    if (!isSilence) return null;
    const words = [`nothing for ${timeInWords(elapsedMs)}`, `usually every ${timeInWords(intervalMs)}`];
    return faultFinding('silence', 600, words, { isWarmingUp: observed.isNew });
  },
};
