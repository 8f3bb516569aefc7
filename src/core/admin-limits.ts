import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about who may use the admin port, and about the page. */
export const adminLimits = {
  adminRequestBytesMax: 4 * MIB,
  adminRecordsPerRequestMax: 1000,
  /** Answers of `GET /api/records` under way at once, followers included. */
  adminRecordStreamsMax: 128,
  /** What one of them reads from the log at a time. */
  adminReadBytesMax: 256 * KIB,
  adminConnectionsMax: 256,
  /** The time a client may take to send its request. */
  adminRequestTimeoutMs: 30_000,
  /** A JSON answer, and one line of a record stream: a record of the largest size, escaped in the worst way, fits. */
  adminAnswerBytesMax: 8 * MIB,
  /** How long a client waits for an answer to begin; a commit on a slow disk is part of it. */
  adminAnswerTimeoutMs: 60_000,
  adminPasswordLengthMin: 8,
  adminPasswordBytesMax: 1 * KIB,
  /** `admin.json`. */
  adminPasswordFileBytesMax: 4 * KIB,
  /** Of randomness, in the code that sets the first password. */
  adminClaimCodeBytes: 10,
  /** `claim-code`, and `gateway.json`. */
  adminClaimCodeFileBytesMax: 1 * KIB,
  gatewayFileBytesMax: 16 * KIB,
  /** Connections from beyond this machine, so that the command line gets through whatever others do, and those of one address. */
  adminRemoteConnectionsMax: 192,
  adminAddressConnectionsMax: 48,
  /** The line and the headers of a request, and the time to send them; what follows is bounded by the whole request's time. */
  adminHeaderBytesMax: 16 * KIB,
  adminHeadersTimeoutMs: 10_000,
  adminHandshakeTimeoutMs: 10_000,
  /** A connection without a request is closed after so long. */
  adminKeepAliveMs: 20_000,
  /** How often those times are looked at. */
  adminSweepIntervalMs: 1_000,
  /** The body of a request that everybody may send. */
  adminOpenRequestBytesMax: 4 * KIB,
  /** Logins that hold at once; with one more, that which was not used for longest ends. */
  adminLoginsMax: 64,
  /** A login ends when it was not used for so long, and after so long whatever happens. */
  adminLoginIdleMsMax: 12 * 3_600_000,
  adminLoginAgeMsMax: 7 * 24 * 3_600_000,
  /** Passwords and codes that wait to be looked at. */
  adminAttemptsWaitingMax: 8,
  /** When those beyond are to come again. */
  adminAttemptRetryMs: 1_000,
  /** Requests of one address without a login or token, in so long. */
  adminOpenRequestsMax: 50,
  adminOpenRequestsMs: 1_000,
  /** `admin.names`. */
  adminNamesMax: 16,
  /** How often the addresses of this machine are looked at, when somebody asks by another one. */
  adminNamesLookMs: 10_000,
  /** Addresses of which those are counted. */
  adminAddressesCountedMax: 4_096,

  // The page
  /** Pages that hear of everything as it happens; how often they do, and the bytes that may wait for one that does not read. */
  viewersMax: 8,
  viewerFrameMs: 1_000,
  viewerPendingBytesMax: 512 * KIB,
  /** One that has not read for so long is cut off. */
  viewerStallMsMax: 20_000,
  /** Items of a long list in one answer, by default and at most, and the text that is looked for in their names. */
  listPageDefault: 50,
  listPageMax: 200,
  listSearchLengthMax: 200,
  /** For a plot: how far back by default and at most, the records that are looked through and the points that are answered at most. */
  historySecondsDefault: 3_600,
  historySecondsMax: 31 * 24 * 3600,
  historyRecordsMax: 100_000,
  historyPointsMax: 1_200,
  /** What is read of the log at a time for it: others get the event loop in between. */
  scanReadBytesMax: 64 * KIB,
  /** The changes of alerts that are looked through for it. */
  historyVerdictsMax: 2_000,
  /** Those that wait while one is read. */
  historiesWaitingMax: 8,
  /** The newest records of a topic in one answer, and what it shows of each value, by default and at most. */
  newestRecordsDefault: 20,
  newestRecordsMax: 50,
  newestValueBytes: 1 * KIB,
} as const;
