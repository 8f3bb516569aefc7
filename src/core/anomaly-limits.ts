import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about anomaly detection. */
export const anomalyLimits = {
  // What is unusual
  /** How rare a score is, is known from so much of the past at least, once there is so much. */
  unusualMemoryMs: 8 * 7 * 24 * 3600 * 1000,
  /** A healthy series gives one alert in so long at most, at normal sensitivity. */
  unusualAlertMs: 7 * 24 * 3600 * 1000,
  /** A series must have been known for so long before anything in it is called unusual. */
  unusualWarmUpMs: 2 * 24 * 3600 * 1000,

  // Faults of sensors
  /** What a rule has seen of a series counts for a third after so long. */
  seriesMemoryMs: 28 * 24 * 3600 * 1000,
  /** A part of the day that has a usual level of its own. */
  daySlotMs: 1_800_000,
  /** A series has shown a whole day, and its first night even if it began in one. */
  dayKnownMs: 24 * 3600 * 1000,
  nightsKnownMs: 2 * 24 * 3600 * 1000,
  /** A shorter pause is none, however fast a series is: networks and garbage collectors make them. */
  silenceMsMin: 5_000,
  /** A device's clock may be ahead of, and behind, the time of its record by so much; the way to us takes time. */
  clockAheadMsMax: 10_000,
  clockBehindMsMax: 300_000,
  /** A smaller change of that is none. */
  clockOffsetMsMin: 2_000,

  // Series
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
  /** When a device can have taken a reading, since 1970: any other number called a time is a measurement. */
  payloadTimeSecondsMin: 1_000_000_000,
  payloadTimeSecondsMax: 4_102_444_800,
  /** Values of a series kept for a glance at it, four bytes each. */
  seriesRecentMax: 40,
  /** A number that is the whole payload. */
  plainNumberLengthMax: 32,
  /** Rows of `anomaly.series`. */
  seriesRulesMax: 256,
  seriesPatternLengthMax: 512,
  seriesIntervalMsMax: 24 * 3600 * 1000,

  // Models of others
  /** A verdict that somebody else's model publishes. */
  modelVerdictBytesMax: 16 * KIB,

  // Reading the log
  /** What a read of the log for detection takes at a time. */
  anomalyReadBytesMax: 256 * KIB,
  /** So long readings are judged at a stretch, before others get the event loop; and so long they then have it. */
  anomalySliceMs: 4,
  anomalyPauseMs: 1,
  /** The same while it is only learned again, which can take long and is in no hurry. */
  relearningPauseMs: 12,
  /** What comes within so long is judged together. */
  anomalyReadIntervalMs: 50,
  /** Records of a partition that are learned again where no saved state says where to begin. */
  relearnedRecordsMax: 500_000,
  /** How often silence is looked for. */
  anomalyTickMs: 5_000,
  /** The cursor is saved that often if nothing else is: so much is judged again after a crash. */
  anomalyCursorMs: 60_000,
  /** Waits between attempts to save verdicts in a log that refuses. */
  anomalyBackoffMsMin: 100,
  anomalyBackoffMsMax: 5_000,

  // What detectors know
  /** What detector states may be written a day, by default and within bounds. */
  stateBytesPerDayDefault: 256 * MIB,
  stateBytesPerDayMin: 16 * MIB,
  stateBytesPerDayMax: 64 * 1024 * MIB,
  /** States are saved no more often than this, however few have changed. */
  stateSaveMsMin: 60_000,
  /** What is allowed for a day is earned in so many milliseconds. */
  stateBytesEarnedMs: 24 * 3600 * 1000,
  /** What is written of them at a time. */
  stateWriteBytes: 1 * MIB,
  /** One block of a file of states: a state with its names, or where those of all partitions end. */
  stateEntryBytesMax: 128 * KIB,
  /** Files of states; with more, all states are written anew into one. */
  stateFilesMax: 64,

  // Alerts
  /** Alerts that are raised or shelved. What would be raised above it is counted, and told as a flood. */
  openAlertsMax: 100,
  /** Alerts that wait for their on-delay. */
  pendingAlertsMax: 44,
  /** One that waits for longer gives way if there are as many. */
  pendingAlertMs: 6 * 3600 * 1000,
  /** An alert as it is kept in the log, with its key, raised and pending. */
  alertMemoBytesMax: 816,
  pendingAlertMemoBytesMax: 440,
  /** All of them: they are part of the beginning of each journal file. */
  alertMemosBytesMax: 100 * KIB,
  /** A flood is over when no more than this share of the alerts above is left. */
  alertFloodEndPercent: 75,
  /** What is slow is raised after so long at the earliest. */
  alertOnDelayMs: 10_000,
  /** An alert is cleared when nothing was found for so long, besides a number of readings. */
  alertOffDelayMs: 60_000,
  /** How long an alert may be shelved at once. */
  alertShelvedMsMax: 365 * 24 * 3600 * 1000,
  /** The longest topic name, and what tells its series apart. */
  seriesNameBytesMax: 264,
  /** Texts of an alert, in UTF-8; longer ones are cut. Why, in words: one rule, or two views, together. */
  alertWordsBytesMax: 144,
  alertWordsMax: 2,
  alertRarityBytesMax: 40,
  alertUnitBytesMax: 16,
  alertModelBytesMax: 32,
  alertActorBytesMax: 32,
} as const;
