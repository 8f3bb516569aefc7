import type { Finding, FindingKind } from '../detection/finding.ts';
import type { Reading, SeriesHints } from '../detection/reading.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';

/** A reading beside what the series was before it: what the rules share. */
export interface Observed {
  reading: Reading;
  hints: SeriesHints;
  /** Measurements before this one. */
  count: number;
  /** The measurement before it; 0 if there was none. */
  previous: number;
  /** What has changed since then; 0 if there was none. */
  step: number;
  /** Of a new series, the smallest step: values in coarse steps differ by that at least, and few were seen. 0 of others. */
  newQuantum: number;
  /** Time since the measurement before it; 0 if there was none. */
  elapsedMs: number;
  /** Since the first measurement. */
  ageMs: number;
  /** It has not shown a whole day yet. */
  isNew: boolean;
  /** The usual time between two readings; 0 if it is not known yet. */
  intervalMs: number;
  /** What is left of a number of the past that fades with time, of 1. */
  fade: number;
  /** It only grows, apart from resets. */
  isCounter: boolean;
  /** A counter that has begun anew. */
  isReset: boolean;
  /** The last measurement of a block: then records take in what the block before had. */
  endsBlock: boolean;
  /** By which the thresholds of all rules are multiplied, for the sensitivity asked for. */
  caution: number;
}

/** What a finding of a rule says of the reading itself. */
export type Consequence =
  /** Other rules judge it as well. */
  | 'none'
  /** It is explained by that: later rules do not see it. */
  | 'explained'
  /** It is no measurement: nothing is to learn from it. */
  | 'no-measurement';

/** Finds one kind of fault, or a few that share an estimate, with its own numbers of the series' state, beginning at `at`. */
export interface Rule {
  readonly size: StateSize;
  readonly consequence: Consequence;
  /** Kinds, found by earlier rules at the same reading, that say the same better. */
  readonly silencedBy: readonly FindingKind[];
  /** Writes what is not zero at the beginning. */
  reset(state: SeriesState, at: StateSize): void;
  /** Judges a reading by what was known before it, then learns from it. */
  observe(state: SeriesState, at: StateSize, observed: Observed): Finding | null;
}
