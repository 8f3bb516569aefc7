import type { Finding } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';
import type { SeriesState } from '../../src/anomaly/detection/series-state.ts';

/** All that the evaluation needs of a detector. It is blind: it sees the readings of one series one by one, and nothing else. */
export interface Detector {
  /** As it is written into the names of result files. */
  readonly name: string;
  /** The state of a series of which nothing is known. */
  newState(): SeriesState;
  /** How unusual a reading is, from 0 to 1; it is learned then. */
  score(state: SeriesState, reading: Reading): number;
  /** What is wrong with a reading, as in the daemon; it is learned then. */
  observe(state: SeriesState, reading: Reading): readonly Finding[];
}

/** A reading as it is in a benchmark: the device says nothing of its own clock. */
export const readingOf = ({
  timeMs,
  value,
}: {
  readonly timeMs: number;
  readonly value: number;
}): Reading => ({
  timeMs,
  value,
  sourceTimeMs: null,
});
