import type { Finding } from '../detection/finding.ts';
import type { SeriesHints } from '../detection/reading.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { durationInWords, faultFinding } from './words.ts';

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
const countKnown = 64;

/** How long nothing has come, beside what is usual. */
export interface Pause {
  readonly elapsedMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

/** How long a series may be silent: infinite while its usual interval is not known. For a timer as well: it changes nothing. */
export function allowedPauseMs(
  { doubles }: SeriesState,
  at: StateSize,
  { intervalMs, count }: Pick<Pause, 'intervalMs' | 'count'>,
  hints: SeriesHints,
  caution: number,
): number {
  const isHinted = hints.intervalMs !== null;
  if (intervalMs <= 0 || (!isHinted && count < countJudged)) return Number.POSITIVE_INFINITY;
  const youth = isHinted ? 1 : 1 + youthMargin / count;
  const pauseMs = isHinted ? 0 : (doubles[at.doubles + LONGEST] ?? 0);
  return Math.max(silentIntervals * intervalMs, pauseMargin * pauseMs) * youth * caution;
}

/** The finding that a series was silent before a reading, or null. */
function silenceDuring(
  state: SeriesState,
  at: StateSize,
  pause: Pause,
  hints: SeriesHints,
  caution: number,
): Finding | null {
  const { elapsedMs, intervalMs, count } = pause;
  if (!(elapsedMs > allowedPauseMs(state, at, pause, hints, caution))) return null;
  const pauseMs = hints.intervalMs === null ? (state.doubles[at.doubles + LONGEST] ?? 0) : 0;
  const words =
    `nothing for ${durationInWords(elapsedMs)}; usually every ${durationInWords(intervalMs)}` +
    (pauseMs > intervalMs ? `, after ${durationInWords(pauseMs)} at most` : '');
  return faultFinding('silence', 600, null, count < countKnown, words);
}

/** Finds pauses that ended before a timer looked, and learns how long pauses are. */
export const silenceRule: Rule = {
  size: { doubles: 1, floats: 0 },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe(state: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const { elapsedMs } = observed;
    const begin = at.doubles;
    const longestMs = (state.doubles[begin + LONGEST] ?? 0) * observed.fade;
    if (elapsedMs <= longestMs && elapsedMs <= silentIntervals * observed.intervalMs) {
      state.doubles[begin + LONGEST] = longestMs;
      return null;
    }
    const found = silenceDuring(state, at, observed, observed.hints, observed.caution);
    state.doubles[begin + LONGEST] =
      found === null
        ? Math.max(longestMs, elapsedMs)
        : Math.min(elapsedMs, growth * Math.max(longestMs, silentIntervals * observed.intervalMs));
    return found;
  },
};
