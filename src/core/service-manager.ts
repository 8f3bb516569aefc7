/** What a service manager is told; what is left out is not said. */
export interface ServiceNews {
  /** The service does its work. */
  readonly ready?: true;
  /** It is about to end. */
  readonly stopping?: true;
  /** It is healthy: the watchdog counts anew. */
  readonly alive?: true;
  /** One line for people. */
  readonly status?: string;
  /** The start, or the stop, goes on and may take so long from now, milliseconds. */
  readonly extendMs?: number;
}

/** What has started this process and looks after it: systemd, or nobody. */
export interface ServiceManager {
  /** Once ready, it ends the process if it hears no `alive` for so long; null if nobody watches. */
  readonly watchdogMs: number | null;
  /**
   * Returns at once, and never throws. News that cannot be told are told with the next ones, except that it is alive: that would no
   * longer be true.
   */
  tell(news: ServiceNews): void;
}

/** Where nobody looks after the process. */
export const noServiceManager: ServiceManager = { watchdogMs: null, tell() {} };
