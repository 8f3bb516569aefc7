/** One decoded measurement of a series. */
export interface Reading {
  /** The timestamp of its record, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  readonly value: number;
  /** When the device says it was taken, milliseconds since 1970 UTC; null if it does not say. */
  readonly sourceTimeMs: number | null;
}

/** What is known of a series from the configuration; where nothing is, the detectors find out. */
export interface SeriesHints {
  /** Values below or above are out of range. */
  readonly min: number | null;
  readonly max: number | null;
  /** The time between two readings. */
  readonly intervalMs: number | null;
  readonly sensitivity: Sensitivity;
}

export const sensitivities = ['low', 'normal', 'high'] as const;

export type Sensitivity = (typeof sensitivities)[number];

/** For series of which the configuration says nothing. */
export const noHints: SeriesHints = { min: null, max: null, intervalMs: null, sensitivity: 'normal' };
