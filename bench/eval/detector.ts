import type { Finding, FindingKind } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';
import type { SeriesState } from '../../src/anomaly/detection/series-state.ts';

/** Says how unusual a reading of a series is, from 0 to 1, by the readings before it; and learns from it. */
export type Scorer = (reading: Reading) => number;

/** All that the evaluation needs of a detector. It is blind: it sees the readings of one series one by one, and nothing else. */
export interface Detector {
  /** As it is written into the names of result files. */
  readonly name: string;
  /** Scores the readings of a series of which nothing is known. */
  newScorer(): Scorer;
  /** The state of a series of which nothing is known. */
  newState(): SeriesState;
  /** What is wrong with a reading, as in the daemon; it is learned then. */
  observe(state: SeriesState, reading: Reading): readonly Finding[];
}

/** A reading as it is in a benchmark: the device says nothing of its own clock. */
export const readingOf = (row: { readonly timeMs: number; readonly value: number }): Reading => ({
  timeMs: row.timeMs,
  value: row.value,
  sourceTimeMs: null,
});

/** Whether the learned views find this kind. */
export const isLearned = (kind: FindingKind): boolean => kind === 'unusual';

/** Whether a rule does; a counter that begins anew is told, but is no fault. */
export const isRule = (kind: FindingKind): boolean => !isLearned(kind) && kind !== 'counter-reset';
