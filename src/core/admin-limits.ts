import { KIB } from './sizes.ts';

/** Those rows of `limits` that are about who may use the admin port. */
export const adminLimits = {
  adminPasswordLengthMin: 8,
  adminPasswordBytesMax: 1 * KIB,
  /** `admin.json`. */
  adminPasswordFileBytesMax: 4 * KIB,
  /** Of randomness, in the code that sets the first password. */
  adminClaimCodeBytes: 10,
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
} as const;
