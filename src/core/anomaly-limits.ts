import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about anomaly detection. */
export const anomalyLimits = {
  /** Series that are known at a time, by default and at most; each has a state of some KiB in memory. */
  seriesDefault: 5_000,
  seriesMax: 20_000,
  /** Payloads larger than this are not looked into. */
  seriesPayloadBytesMax: 64 * KIB,
  /** Numbers of one payload that become series, how deep in the JSON they are looked for, and how long their paths may be. */
  seriesFieldsMax: 64,
  seriesDepthMax: 8,
  seriesPathLengthMax: 200,
  /** Records with a longer key are no readings of a series. */
  seriesKeyBytesMax: 1024,
  /** A number that is the whole payload. */
  plainNumberLengthMax: 32,
  /** Rows of `anomaly.series`. */
  seriesRulesMax: 256,
  seriesPatternLengthMax: 512,
  seriesUnitLengthMax: 16,
  seriesIntervalMsMax: 24 * 3600 * 1000,
  /** A topic, a key and a path with what stands between them. */
  seriesNameLengthMax: 1500,
  /** A verdict that somebody else's model publishes, the name of the model, and its words. */
  modelVerdictBytesMax: 16 * KIB,
  modelNameLengthMax: 64,
  modelWordsMax: 4,
  /** What a read of the log for detection takes at a time. */
  anomalyReadBytesMax: 256 * KIB,
  /** So long readings are judged at a stretch, before others get the event loop; and so long they then have it. */
  anomalySliceMs: 4,
  anomalyPauseMs: 1,
  /** Records between two looks at the clock within a stretch. */
  anomalySliceRecords: 16,
  /** How often silence is looked for. */
  anomalyTickMs: 5_000,
  /** The cursor is saved that often if nothing else is: so much is judged again after a crash. */
  anomalyCursorMs: 60_000,
  /** Waits between attempts to save verdicts in a log that refuses. */
  anomalyBackoffMsMin: 100,
  anomalyBackoffMsMax: 5_000,
  /** What detector states may be written a day, by default and within bounds. */
  stateBytesPerDayDefault: 256 * MIB,
  stateBytesPerDayMin: 16 * MIB,
  stateBytesPerDayMax: 64 * 1024 * MIB,
  /** States are saved no more often than this, however few have changed. */
  stateSaveMsMin: 60_000,
  /** What is written of them at a time. */
  stateWriteBytes: 1 * MIB,
  /** One block of a file of states: a state with its names, or where those of all partitions end. */
  stateEntryBytesMax: 128 * KIB,
  /** Files of states; with more, all states are written anew into one. */
  stateFilesMax: 64,
} as const;
