import { KIB, MIB } from './sizes.ts';

/** Bounds of what somebody is given who is asked for help. */
export const supportLimits = {
  /** What is shorter is not taken out of a support bundle: that would take half of every text with it. */
  writtenSecretLengthMin: 4,
  /** Metrics in a support bundle. */
  supportMetricsBytesMax: 2 * MIB,
  /** What a support bundle takes of systemd's journal, and how long that may take. */
  supportJournalLinesMax: 2_000,
  supportJournalBytesMax: 1 * MIB,
  supportJournalMsMax: 10_000,
  /** Warnings and errors that are kept in memory for a support bundle, and how many characters of one. */
  keptLogLinesMax: 500,
  keptLogLengthMax: 256 * KIB,
  keptLogLineLengthMax: 4 * KIB,
} as const;
