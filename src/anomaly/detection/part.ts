import type { Finding } from './finding.ts';
import type { Reading, SeriesHints } from './reading.ts';
import type { SeriesState, StateSize } from './series-state.ts';

/**
 * A part of the detection, working on its own numbers of a series' state, which begin at `at`. It sees readings one by one
 * and knows nothing else: no clock, no randomness, no other series.
 */
export interface DetectionPart {
  readonly size: StateSize;
  /** Writes the state of a series of which nothing is known. */
  reset(state: SeriesState, at: StateSize): void;
  /** Judges a reading by what was known before it, then learns from it. Empty, and the same empty array, if nothing is wrong. */
  observe(state: SeriesState, at: StateSize, reading: Reading, hints: SeriesHints): readonly Finding[];
}
