import { KIB } from './sizes.ts';

/** Bounds of the anomaly detection; part of `limits`. */
export const anomalyLimits = {
  // Alerts
  /** Alerts that are raised or shelved. What would be raised above it is counted, and told as a flood. */
  openAlertsMax: 100,
  /** Alerts that wait for their on-delay. */
  pendingAlertsMax: 56,
  /** An alert as it is kept in the log, with its key, raised and pending. */
  alertMemoBytesMax: 768,
  pendingAlertMemoBytesMax: 440,
  /** All of them: they are part of the beginning of each journal file. */
  alertMemosBytesMax: 100 * KIB,
  /** A flood is over when no more than this share of the alerts above is left. */
  alertFloodEndPercent: 75,
  /** What is slow is raised after so long at the earliest. */
  alertOnDelayMs: 10_000,
  /** An alert is cleared when nothing was found for so long, besides a number of readings. */
  alertOffDelayMs: 60_000,
  /** The longest topic name, and what tells its series apart. */
  seriesNameBytesMax: 264,
  /** Texts of an alert, in UTF-8; longer ones are cut. */
  alertWordsBytesMax: 48,
  alertWordsMax: 2,
  alertRarityBytesMax: 40,
  alertUnitBytesMax: 16,
  alertModelBytesMax: 32,
  alertActorBytesMax: 32,
} as const;
