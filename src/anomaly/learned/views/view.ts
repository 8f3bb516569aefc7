import type { SeriesState, StateSize } from '../../detection/series-state.ts';

/** A reading as the views see it. */
export interface Sight {
  /** Milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** Counted from the first value of the series, so that 4 bytes are precise enough. */
  readonly value: number;
  /** Since the last reading; 0 at the first one, and where time does not move on. */
  readonly elapsedMs: number;
  /** The last reading is so long ago that it says nothing of this one. */
  readonly isAfterGap: boolean;
}

/**
 * One way to look at a series, working on its own numbers of the state, which begin at `at` and are zeros at first. It
 * knows what it was given to learn, and keeps nothing outside the state.
 */
export interface View {
  readonly name: string;
  readonly size: StateSize;
  /** Scores up to this one are no news in any series, however quiet it is. */
  readonly usualScore: number;
  /** How surprising a reading is: from 0, finite. Does not change the state. */
  score(state: SeriesState, at: StateSize, sight: Sight): number;
  learn(state: SeriesState, at: StateSize, sight: Sight): void;
  /** What a high score means, in words for an alert. */
  words(sight: Sight): string;
}

/** Deviations beyond so many usual ones count by their logarithm, so that a wild one does not dwarf all later ones. */
const KNEE = 10;
/** Where hardly anything ever deviated, each deviation is so many usual ones at most. */
const MOST_DEVIATIONS = 1e6;

/** A deviation as a multiple of the usual one, with a logarithmic end: from 0 to about 125. */
export function inDeviations(deviation: number, usual: number): number {
  const size = Math.abs(deviation);
  if (size < KNEE * usual) return size / usual;
  if (size === 0) return 0;
  const multiple = size < MOST_DEVIATIONS * usual ? size / usual : MOST_DEVIATIONS;
  return KNEE * (1 + Math.log(multiple / KNEE));
}
