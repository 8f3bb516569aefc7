/** Bounds of health, and of what the service manager hears. */
export const serviceLimits = {
  /** How often health is looked at if nobody watches; else in a third of the time after which the watchdog bites, within the others. */
  healthLookMs: 20_000,
  healthLookMsMin: 500,
  healthLookMsMax: 60_000,
  /** The status line: cut at this length, and with nothing but other numbers in it told so often at most. */
  serviceStatusLengthMax: 200,
  serviceStatusMsMin: 60_000,
  /** A long start is looked at so often; if the disk has answered meanwhile, it may take so long from then on. */
  startLookMs: 10_000,
  startExtensionMs: 60_000,
  /** More than `stopTimeoutMs` and `stuckExitMs` together. */
  stopExtensionMs: 20_000,
  /** How long the program `systemd-notify` may take. */
  systemdNotifyMs: 5_000,
} as const;
