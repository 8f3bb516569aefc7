import type { Finding, ValueRange } from '../detection/finding.ts';
import type { Reading } from '../detection/reading.ts';
import type { SeriesState } from '../detection/series-state.ts';
import type { SeriesSettings } from '../series/series-settings.ts';

/** All detectors together, as the runner sees them. They know nothing but what is in the state of a series. */
export interface Detection {
  /** Of another version the states mean something else: they are not restored. */
  readonly version: string;
  /** The state of a series of which nothing is known. */
  newState(): SeriesState;
  /** A state that was saved; undefined if the bytes are none of this version. */
  restoredState(bytes: Uint8Array): SeriesState | undefined;
  /** What is wrong with a reading; it is learned then. */
  observe(state: SeriesState, reading: Reading, settings: SeriesSettings): readonly Finding[];
  /** After how long without a reading the series is missed; infinite while that is not known. */
  silentAfterMs(state: SeriesState, settings: SeriesSettings): number;
  /** Where the next value may be, at this time, without being out of range. Changes nothing. */
  valueRange(state: SeriesState, timeMs: number, settings: SeriesSettings): ValueRange;
}
